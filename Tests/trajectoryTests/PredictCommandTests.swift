import Foundation
import TestSupport
import Testing

@Suite struct PredictCommandTests {
    /// The checkpoint that comes with the package, trained on Hopper.
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    private struct Result: Decodable {
        struct Method: Decodable {
            let name: String
            let byStep: [Double]
        }
        let horizon, episodes: Int
        let methods: [Method]
    }

    @Test func `the transformer and an ensemble are measured on the same held-out episodes`() throws
    {
        let folder = try TemporaryFolder()
        let (data, dynamics) = (
            folder.file("data.hdf5").path, folder.file("dynamics.safetensors").path
        )
        let collected = try Program.run(
            "collect", "--env", "hopper", "--policy", "ars-medium", "--steps", "1500", "--output",
            data)
        #expect(collected.status == 0, "\(collected.errors)")
        let training = try Program.run(
            "train-dynamics", "--dataset", data, "--steps", "20", "--members", "2", "--skip-last",
            "1", "--output", dynamics, "--json")
        #expect(training.status == 0, "\(training.errors)")
        let plot = folder.file("errors.svg")
        let outcome = try Program.run(
            "predict", "--checkpoint", checkpoint, "--dataset", data, "--dynamics", dynamics,
            "--horizon", "4", "--context", "2", "--samples", "2", "--episodes", "2",
            "--sample-actions", "--plot", plot.path, "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let result = try decoder.decode(Result.self, from: Data(outcome.output.utf8))
        #expect(result.horizon == 4 && result.episodes == 2)
        #expect(
            result.methods.map(\.name) == [
                "transformer", "Markovian transformer", "transformer, own actions",
                "ensemble of single-step models", "no change",
            ])
        #expect(
            result.methods.allSatisfy { $0.byStep.count == 4 && $0.byStep.allSatisfy { $0 > 0 } })
        #expect(FileManager.default.fileExists(atPath: plot.path))
    }

    /// Width and height that a PNG file states.
    private func size(_ url: URL) throws -> [Int] {
        let data = [UInt8](try Data(contentsOf: url))
        try #require(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        return [16, 20].map { start in data[start..<(start + 4)].reduce(0) { 256 * $0 + Int($1) } }
    }

    private func video(_ arguments: [String]) throws -> [String: Any] {
        let outcome = try Program.run(["predict"] + arguments + ["--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let result =
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        return try #require(result?["video"] as? [String: Any])
    }

    @Test func `an episode is drawn as it was and as it was predicted`() throws {
        let folder = try TemporaryFolder()
        let (data, dynamics) = (
            folder.file("data.hdf5").path, folder.file("dynamics.safetensors").path
        )
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output", data)
        _ = try Program.run(
            "train-dynamics", "--dataset", data, "--steps", "5", "--members", "1", "--output",
            dynamics)
        let arguments = [
            "--checkpoint", checkpoint, "--dataset", data, "--horizon", "3", "--samples", "1",
            "--episodes", "2",
        ]
        func strip(_ name: String, _ further: [String]) throws -> [String: Any] {
            try video(arguments + ["--video", folder.file(name).path] + further)
        }
        let both = try strip("both.png", ["--dynamics", dynamics])
        #expect(both["environment"] as? String == "hopper-v4" && both["frames"] as? Int == 8)
        // A row each of the present and three steps.
        #expect(try size(folder.file("both.png")) == [4 * 320 + 3 * 6, 2 * 240 + 6])
        let second = try strip("second.png", ["--video-episode", "1"])
        #expect(second["episode"] as? Int == (both["episode"] as? Int).map { $0 + 1 })
        #expect(try size(folder.file("second.png")) == [4 * 320 + 3 * 6, 240])
        // Six seconds at 25 frames a second.
        #expect(try strip("film.gif", [])["frames"] as? Int == 150)
        #expect(try Data(contentsOf: folder.file("film.gif")).starts(with: Data("GIF".utf8)))

        for (further, part) in [
            (["--video-episode", "2"], "--video-episode must be from 0 to 1"),
            (["--video", "film.avi"], "--video must end in .mp4, .gif or .png"),
            (
                ["--video", folder.file("x.gif").path, "--env", "walker2d"],
                "walker2d-v4 has 17 and 6"
            ),
        ] {
            let outcome = try Program.run(["predict"] + arguments + further)
            #expect(outcome.status != 0 && outcome.errors.contains(part), "\(outcome.errors)")
        }
    }

    @Test func `a model of the first observation dimensions is given as many, and drawn`() throws {
        let folder = try TemporaryFolder()
        let (data, tokens) = (folder.file("data.hdf5").path, folder.file("data.tokens").path)
        _ = try Program.run(
            "collect", "--env", "humanoid", "--policy", "random", "--steps", "200", "--output",
            data)
        _ = try Program.run(
            "dataset", "tokenize", data, "--observation-dimensions", "45", "--output", tokens)
        for (source, further) in [(data, ["--observation-dimensions", "45"]), (tokens, [])] {
            let run = folder.file("run-\(further.count)")
            let training = try Program.run(
                [
                    "train", "--dataset", source, "--output", run.path, "--steps", "1", "--window",
                    "2", "--layers", "1", "--width", "16", "--heads", "2", "--batch-size", "2",
                ] + further)
            try #require(training.status == 0, "\(training.errors)")
            let picture = folder.file("\(further.count).png")
            let drawn = try video([
                "--checkpoint", run.path, "--dataset", data, "--horizon", "2", "--samples", "1",
                "--episodes", "1", "--video", picture.path,
            ])
            #expect(drawn["environment"] as? String == "humanoid-v4")
            #expect(try size(picture) == [3 * 320 + 2 * 6, 240])

            let refused = try Program.run(
                "predict", "--checkpoint", run.path, "--dataset", data, "--horizon", "2",
                "--observation-dimensions", "30")
            #expect(
                refused.errors.contains(
                    "the data have 30 + 17 dimensions, the model '\(run.path)' 45 + 17"),
                "\(refused.errors)")
        }
    }

    @Test func `positions and velocities must be among what is drawn`() throws {
        let folder = try TemporaryFolder()
        let (data, run) = (folder.file("data.hdf5").path, folder.file("run").path)
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "100", "--output", data)
        _ = try Program.run(
            "train", "--dataset", data, "--output", run, "--steps", "1", "--window", "2",
            "--layers", "1", "--width", "16", "--heads", "2", "--batch-size", "2",
            "--observation-dimensions", "5")
        let outcome = try Program.run(
            "predict", "--checkpoint", run, "--dataset", data, "--horizon", "2", "--video",
            folder.file("x.png").path)
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains(
                "cannot draw 5 observation dimensions of hopper-v4: positions and velocities are "
                    + "the first 11"), "\(outcome.errors)")
    }

    @Test func `half of what is observed is hidden in training and prediction`() throws {
        let folder = try TemporaryFolder()
        let (data, tokens, run) = (
            folder.file("data.hdf5").path, folder.file("data.tokens").path, folder.file("run").path
        )
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output", data)
        _ = try Program.run("dataset", "tokenize", data, "--output", tokens)
        func train(_ further: String...) throws -> Program.Outcome {
            try Program.run(
                [
                    "train", "--output", run, "--steps", "1", "--window", "3", "--layers", "1",
                    "--width", "16", "--heads", "2", "--batch-size", "2", "--bins", "20",
                ] + further)
        }
        let trained = try train("--dataset", data, "--hide", "0.5", "--hide-seed", "3")
        try #require(trained.status == 0, "\(trained.errors)")
        let dynamics = folder.file("dynamics.safetensors").path
        let single = try Program.run(
            "train-dynamics", "--dataset", data, "--hide", "0.5", "--hide-seed", "3", "--members",
            "1", "--layers", "1", "--width", "8", "--steps", "2", "--output", dynamics)
        try #require(single.status == 0, "\(single.errors)")
        let plot = folder.file("likelihoods.png")
        let outcome = try Program.run(
            "predict", "--checkpoint", run, "--dataset", data, "--dynamics", dynamics, "--horizon",
            "2", "--context", "2", "--samples", "3", "--episodes", "2", "--likelihood-plot",
            plot.path, "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let result =
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        #expect(result?["hidden"] as? Double == 0.5)
        #expect((result?["oracle"] as? [String: Any])?["standard_error"] is Double)
        #expect((result?["data_distribution"] as? [String: Any])?["by_step"] is [Double])
        #expect(FileManager.default.fileExists(atPath: plot.path))
        for (refused, part) in [
            (try train("--dataset", data, "--resume", "--hide", "0.4"), "hiding"),
            (try train("--dataset", tokens, "--hide", "0.5"), "nothing is hidden in token files"),
            (try train("--dataset", data, "--hide", "1"), "--hide"),
            (try train("--dataset", data, "--hide-seed", "1"), "--hide-seed is for --hide"),
        ] {
            #expect(refused.status != 0)
            #expect(refused.errors.contains(part), "\(refused.errors)")
        }
    }

    @Test func `what does not fit gives one line`() throws {
        let folder = try TemporaryFolder()
        let (short, other) = (folder.file("short.hdf5").path, folder.file("maze.hdf5").path)
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "100", "--output", short)
        _ = try Program.run(
            "collect", "--dataset", "maze2d-umaze", "--steps", "200", "--output", other)
        for (arguments, part) in [
            (["--dataset", short], "no episode has context + horizon = 101"),
            (
                ["--dataset", other],
                "the data have 4 + 2 dimensions, the model '\(checkpoint)' 11 + 3"
            ),
            (
                ["--dataset", short, "--horizon", "5", "--dynamics", short],
                "cannot use the dynamics model"
            ),
        ] {
            let outcome = try Program.run(["predict", "--checkpoint", checkpoint] + arguments)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
        }
    }
}
