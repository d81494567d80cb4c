import Datasets
import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer

/// What `train`, `tokenize` and `info` decide about terminal states, and say.
@Suite struct PenaltyCommandTests {
    let folder: TemporaryFolder
    private var data: String { folder.file("data.hdf5").path }

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Ways of a point to its goal, whose last row is terminal and paid, as in D4RL's AntMaze.
    private func writeGoals(paid reward: Float = 1) throws {
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let episodes = (0..<8).map { index -> Trajectory in
            let length = 12 + index
            return Trajectory(
                layout: layout,
                observations: (0..<(2 * length)).map { Float($0) / 10 + Float(index) / 7 },
                actions: (0..<length).map { Float($0 % 5) / 5 },
                rewards: Array(repeating: 0, count: length - 1) + [reward], ending: .terminal)
        }
        try TrajectoryDataset(layout: layout, trajectories: episodes)
            .write(to: folder.file("data.hdf5"))
    }

    private func train(_ output: String, _ more: String...) throws -> Program.Outcome {
        try Program.run(
            [
                "train", "--output", folder.file(output).path, "--layers", "1", "--heads", "1",
                "--width", "8", "--window", "3", "--batch-size", "4", "--steps", "2", "--bins",
                "10", "--workers", "1",
            ] + more)
    }

    private func penalty(_ run: String) throws -> TerminationPenalty {
        try Checkpoint.description(in: folder.file(run)).tokenization.terminationPenalty
    }

    @Test func `goals are not punished, and all that reads them says so`() throws {
        try writeGoals()
        let words = "no termination penalty: in 8 of 8 episodes that end in a terminal state"
        let info = try Program.run("dataset", "info", data)
        #expect(info.output.contains(words))
        let json = try Program.run("dataset", "info", data, "--json")
        #expect(json.output.contains("\"meaning\" : \"goal\""))
        #expect(json.output.contains("\"penalty\" : null"))
        let run = try train("run", "--dataset", data)
        #expect(run.status == 0 && run.errors.contains(words), "\(run.errors)")
        #expect(try penalty("run") == .nothing)
        let settings = try String(
            contentsOf: folder.file("run").appendingPathComponent("settings.json"), encoding: .utf8)
        #expect(settings.contains("\"terminationPenalty\" : null"))

        let tokens = folder.file("data.tokens").path
        let made = try Program.run(
            "dataset", "tokenize", data, "--output", tokens, "--bins", "10", "--json")
        #expect(made.output.contains(words), "\(made.errors)")
        let mapped = try train("mapped", "--dataset", tokens)
        #expect(mapped.status == 0, "\(mapped.errors)")
        #expect(try penalty("mapped") == .nothing)
        let other = try train("other", "--dataset", tokens, "--termination-penalty", "-100")
        #expect(other.status == 1)
        #expect(
            other.errors.contains("tokenization.terminationPenalty -100: it was made with null"))
    }

    @Test func `what is said of a penalty holds for a run that begins with a checkpoint`() throws {
        try writeGoals(paid: -1)
        let first = try train("first", "--dataset", data)
        #expect(first.status == 0, "\(first.errors)")
        let initial = ["--initial", folder.file("first").path]
        for (number, (options, expected)) in [
            ([], TerminationPenalty.number(-100)), (["--no-termination-penalty"], .nothing),
            (["--termination-penalty", "-5"], .number(-5)),
        ].enumerated() {
            let run = "run-\(number)"
            let outcome = try Program.run(
                [
                    "train", "--dataset", data, "--output", folder.file(run).path, "--steps", "2",
                    "--batch-size", "4", "--workers", "1",
                ] + initial + options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try penalty(run) == expected)
        }
        // In a file of settings it holds for token files too, beside the checkpoint's bins.
        try Data("tokenization: {terminationPenalty: -5, discount: 0.9}".utf8)
            .write(to: folder.file("settings.yaml"))
        let tokens = folder.file("data.tokens")
        let made = try Program.run(
            ["dataset", "tokenize", data, "--output", tokens.path, "--config"]
                + [folder.file("settings.yaml").path] + initial)
        #expect(made.status == 0, "\(made.errors)")
        let file = try TokenFile(contentsOf: tokens)
        #expect(file.description.terminationPenalty == -5)
        #expect(file.description.discount == 0.9)
        #expect(file.discretizer == (try Checkpoint(at: folder.file("first")).discretizer))
    }

    @Test func `failures keep the penalty, and an option decides otherwise`() throws {
        try writeGoals(paid: -1)
        let run = try train("run", "--dataset", data)
        #expect(run.errors.contains("termination penalty -100: 8 of 8"), "\(run.errors)")
        #expect(try penalty("run") == .number(-100))
        let kept = try train("kept", "--dataset", data, "--no-termination-penalty")
        #expect(kept.status == 0 && !kept.errors.contains("penalty"))
        #expect(try penalty("kept") == .nothing)
        #expect(try train("own", "--dataset", data, "--termination-penalty", "-7").status == 0)
        #expect(try penalty("own") == .number(-7))
        // What a run has decided holds where it goes on, and another is named.
        let resumed = try train("own", "--dataset", data, "--resume", "--steps", "3")
        #expect(resumed.status == 64, "\(resumed.errors)")
        func resume(_ more: String...) throws -> Program.Outcome {
            try Program.run(
                [
                    "train", "--dataset", data, "--output", folder.file("own").path, "--layers",
                    "1", "--heads", "1", "--width", "8", "--window", "3", "--batch-size", "4",
                    "--bins", "10", "--workers", "1", "--resume",
                ] + more)
        }
        let again = try resume("--steps", "3")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try penalty("own") == .number(-7))
        let wider = try Program.run(
            "train", "--dataset", data, "--output", folder.file("own").path, "--layers", "2",
            "--heads", "1", "--width", "8", "--window", "3", "--batch-size", "4", "--bins", "10",
            "--workers", "1", "--resume", "--steps", "4")
        #expect(wider.status == 1)
        #expect(
            wider.errors.contains("has a model with layerCount 1, not 2; resume with the same"),
            "\(wider.errors)")
        let other = try resume("--steps", "4", "--no-termination-penalty")
        #expect(other.status == 1)
        #expect(
            other.errors.contains("has tokenization.terminationPenalty -7, not unset"),
            "\(other.errors)")
    }

    @Test(arguments: ["nan", "inf", "often"])
    func `a penalty is a finite number or auto`(text: String) throws {
        let outcome = try train("run", "--dataset", data, "--termination-penalty", text)
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: "))
    }

    @Test func `printed settings that are read again are the same`() throws {
        let given = folder.file("given.yaml")
        try "tokenization: {terminationPenalty: null}\n".write(
            to: given, atomically: true, encoding: .utf8)
        let printed = try Program.run("train", "--config", given.path, "--print-config")
        #expect(printed.output.contains("terminationPenalty: null"))
        try printed.output.write(to: given, atomically: true, encoding: .utf8)
        let again = try Program.run("train", "--config", given.path, "--print-config")
        #expect(again.output == printed.output)
    }
}
