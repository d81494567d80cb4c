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
            "collect", "--env", "hopper", "--policy", "medium", "--steps", "1500", "--output", data)
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

    @Test func `what does not fit gives one line`() throws {
        let folder = try TemporaryFolder()
        let (short, other) = (folder.file("short.hdf5").path, folder.file("maze.hdf5").path)
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "100", "--output", short)
        _ = try Program.run(
            "collect", "--dataset", "maze2d-umaze", "--steps", "200", "--output", other)
        for (arguments, part) in [
            (["--dataset", short], "no episode has --context + --horizon = 101"),
            (["--dataset", other], "the data have 4 + 2 dimensions, the model 11 + 3"),
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
