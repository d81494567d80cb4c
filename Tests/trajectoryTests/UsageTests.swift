import Foundation
import TestSupport
import Testing

/// What the command line refuses, in which words and with which code.
@Suite struct UsageTests {
    @Test(arguments: [
        (["train", "--nothing"], "Unknown option '--nothing'"),
        (["train"], "Missing expected argument '--dataset'"),
        (["evaluate", "--checkpoint", "a", "--checkpoint=b"], "--checkpoint was given twice"),
        (
            ["train", "--dataset", "a.hdf5", "--output", "r", "--dataset", "b.hdf5"],
            "--dataset was"
        ),
        (
            ["dataset", "info", "a", "--no-time-limit", "--max-episode-length", "9"],
            "--max-episode-length and --no-time-limit exclude each other"
        ),
    ])
    func `wrong usage is an error of code 64`(arguments: [String], words: String) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: "), "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test func `what adds up, and what is the same again, may be given twice`() throws {
        let same = try Program.run(
            "train", "--print-config", "--steps", "5", "--steps", "5", "--json", "--json")
        #expect(same.status == 0 && same.output.contains("steps: 5\n"))
        let other = try Program.run("experiment", "none", "--only", "a", "--only", "b", "--list")
        #expect(!other.errors.contains("twice"))
    }

    @Test func `an environment that is none, or not the data's, is found before training`() throws {
        let data = try GoldenData(Bundle.module).url("dataset_gzip.hdf5").path
        let folder = try TemporaryFolder()
        func train(_ environment: String) throws -> Program.Outcome {
            try Program.run(
                "train", "--dataset", data, "--output", folder.file("run").path, "--bins", "10",
                "--env", environment)
        }
        let none = try train("nosuchenv")
        #expect(none.status == 1 && none.errors.contains("there is no such environment"))
        let other = try train("halfcheetah")
        #expect(other.status == 1)
        #expect(other.errors.contains("it has 3 observation and 2 action dimensions, halfcheetah"))
        #expect(try folder.contents() == [])
    }

    @Test func `a longer context than the model's is refused, the default fitted to it`() throws {
        let folder = try TemporaryFolder()
        let (data, run) = (folder.file("data.hdf5").path, folder.file("run").path)
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "200", "--output", data)
        let trained = try Program.run(
            "train", "--dataset", data, "--output", run, "--layers", "1", "--heads", "1",
            "--width", "8", "--window", "3", "--batch-size", "4", "--steps", "1")
        try #require(trained.status == 0, "\(trained.errors)")
        func evaluate(_ more: String...) throws -> Program.Outcome {
            try Program.run(
                [
                    "evaluate", "--checkpoint", run, "--episodes", "1", "--maximum-steps", "1",
                    "--horizon", "1", "--beam-width", "1", "--json",
                ] + more)
        }
        let long = try evaluate("--context-transitions", "50")
        #expect(long.status == 1 && long.errors.contains("give at most 3"), "\(long.errors)")
        #expect(long.errors.contains("(--context-transitions)"))
        let usual = try evaluate()
        #expect(usual.status == 0, "\(usual.errors)")
        #expect(usual.output.contains("\"context_transitions\" : 3"))
    }
}
