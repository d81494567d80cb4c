import Foundation
import TestSupport
import Testing
import Tokenization
import Transformer

@Suite struct TrainCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func printed(_ options: String...) throws -> String {
        let outcome = try Program.run(["train", "--print-config"] + options)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    @Test func `settings come from the recipe, then the file, then the options`() throws {
        let quick = try printed()
        for line in [
            "optimizer: \"muon\"", "start: \"smooth\"", "layers: 2", "width: 64",
            "windowLength: 5", "batchSize: 64", "residualDropout: 0", "keepsBest: true",
        ] {
            #expect(quick.contains("  \(line)\n"), "\(line)")
        }
        let paper = try printed("--recipe", "authors")
        for line in [
            "optimizer: \"adamw\"", "start: \"authors\"", "layers: 4", "width: 128",
            "windowLength: 10", "learningRate: 0.0006", "residualDropout: 0.1", "keepsBest: false",
        ] {
            #expect(paper.contains("  \(line)\n"), "\(line)")
        }
        for name in ["--recipe", "--preset"] {
            let ant = try printed(name, "authors/ant-medium", "--discretizer", "uniform")
            for line in ["batchSize: 128", "optimizer: \"adamw\"", "strategy: \"uniform\""] {
                #expect(ant.contains("  \(line)\n"), "\(line)")
            }
        }
        #expect(try printed("--recipe", "paper").contains("learningRate: 0.00025\n"))
        let file = folder.file("s.yaml")
        try "training: {optimizer: adamw, seed: 4, steps: 1000}\n".write(
            to: file, atomically: true, encoding: .utf8)
        let mixed = try printed("--config", file.path, "--seed", "5", "--start", "authors")
        for line in [
            "optimizer: \"adamw\"", "start: \"authors\"", "seed: 5", "learningRate: 0.008",
        ] {
            #expect(mixed.contains("  \(line)\n"), "\(line)")
        }
        // What a file has stays where no option is given, also where it is unset by default.
        try "training: {patience: 7, timeLimit: 3}\ntokenization: {goalColumns: [0, 1]}\n".write(
            to: file, atomically: true, encoding: .utf8)
        let unset = try printed("--config", file.path)
        for line in ["patience: 7", "timeLimit: 3", "goalColumns: [0,1]"] {
            #expect(unset.contains("  \(line)\n"), "\(line)")
        }
        // The rate follows size and length, unless it is given.
        #expect(
            try printed("--steps", "16000", "--width", "128").contains("learningRate: 0.0016\n"))
        #expect(try printed("--learning-rate", "0.5").contains("learningRate: 0.5\n"))
    }

    @Test func `a resumed run keeps its settings without being told`() throws {
        let (data, run) = (folder.file("data.hdf5").path, folder.file("run").path)
        let made = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output", data)
        try #require(made.status == 0, "\(made.errors)")
        let place = ["train", "--dataset", data, "--output", run]
        let first = try Program.run(
            place + [
                "--layers", "1", "--heads", "1", "--width", "8", "--window", "3", "--batch-size",
                "4", "--steps", "4", "--optimizer", "adamw", "--dropout", "0.2", "--discretizer",
                "uniform",
            ])
        try #require(first.status == 0, "\(first.errors)")
        let more = try Program.run(place + ["--resume", "--steps", "6"])
        #expect(more.status == 0, "\(more.errors)")
        let description = try Checkpoint.description(in: folder.file("run"))
        #expect(description.step == 6 && description.model.layerCount == 1)
        #expect(description.model.residualDropout == 0.2)
        #expect(description.tokenization.strategy == .uniform)
        let bins = try Program.run(place + ["--resume", "--discretizer", "quantile"])
        #expect(bins.status == 1)
        #expect(bins.errors.contains("strategy uniform, not quantile"), "\(bins.errors)")
        let other = try Program.run(place + ["--resume", "--steps", "8", "--optimizer", "muon"])
        #expect(other.status == 1)
        #expect(other.errors.contains("training.optimizer adamw, not muon"), "\(other.errors)")

        // Best and last are told apart by their paths.
        for checkpoint in [run, run + "/best", run + "/checkpoint.json"] {
            let score = try Program.run(
                "evaluate", "--checkpoint", checkpoint, "--episodes", "1", "--maximum-steps", "2",
                "--horizon", "1", "--beam-width", "2", "--context-transitions", "2")
            #expect(score.status == 0, "\(score.errors)")
        }
    }

    @Test(arguments: [
        (["--minutes", "1", "--steps", "3"], "--minutes is for a new run without --steps"),
        (["--minutes", "1", "--resume"], "--minutes is for a new run without --steps"),
        (["--minutes", "0"], "--minutes must be positive, found 0.0"),
        (["--minutes", "nan"], "--minutes must be positive"),
        (["--recipe", "best"], "'best'"), (["--preset", "authors/hopper"], "'authors/hopper'"),
        (["--discretizer", "even"], "'even'"),
        (["--patience", "0"], "--patience"),
    ])
    func `what cannot be is refused before anything is read`(
        options: [String], message: String
    ) throws {
        let outcome = try Program.run(
            ["train", "--dataset", "none.hdf5", "--output", folder.file("r").path] + options)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
}
