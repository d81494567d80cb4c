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
            ["evaluate", "--checkpoint", "a", "--env", "hopper", "--env", "ant"],
            "--env was"
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

    @Test(arguments: [
        ("--dropout=1.5", "--dropout must lie in [0, 1), found 1.5"),
        ("--learning-rate=inf", "--learning-rate must"), ("--action-weight=nan", "--action-weight"),
        ("--layers=0", "--layers"), ("--heads=3", "--width 64 is not a multiple of --heads 3"),
        ("--batch-size=0", "--batch-size"), ("--bins=0", "--bins"), ("--steps=-1", "--steps"),
    ])
    func `settings that cannot be are wrong usage, named as options`(
        option: String, words: String
    ) throws {
        let folder = try TemporaryFolder()
        let given = ["train", "--dataset", "d.hdf5", "--output", folder.file("run").path]
        let outcome = try Program.run(given + [option])
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("error: \(words)"), "\(outcome.errors)")
        // In a file they are the file's.
        let file = folder.file("settings.yaml")
        try "model: {attentionDropout: 2}".write(to: file, atomically: true, encoding: .utf8)
        let configured = try Program.run(given + ["--config", file.path])
        #expect(configured.status == 1)
        #expect(
            configured.errors.hasPrefix(
                "error: cannot use settings '\(file.path)': attentionDropout must lie in"),
            "\(configured.errors)")
    }

    @Test func `a settings file that is a list or a word is refused`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("settings.yaml")
        for text in ["- model\n- training\n", "model\n"] {
            try text.write(to: file, atomically: true, encoding: .utf8)
            let outcome = try Program.run("train", "--config", file.path, "--print-config")
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.errors.contains("no mapping of sections"), "\(outcome.errors)")
        }
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

/// Options that would do nothing are refused where they stand, also with their default's value.
@Suite struct UnusedOptionTests {
    @Test(arguments: [
        "evaluate --policy random --env hopper --temperature 1.0",
        "evaluate --policy random --env hopper --device cpu",
        "evaluate --policy random --env hopper --parallel 1",
        "evaluate --checkpoint r --likelihood-top-k 3",
        "evaluate --checkpoint r --objective imitation --action-top-k 3",
        "evaluate --checkpoint r --objective imitation --readout 0.8",
        "render --policy random --env hopper --output a.mp4 --horizon 5",
        "render --policy random --env hopper --output a.mp4 --episode 0",
        "render --checkpoint r --output a.mp4 --drop-last-row",
        "render --dataset d --output a.mp4 --seed 0",
        "render --policy random --env hopper --output a.mp4 --frames 3",
        "render --policy random --env hopper --output a.mp4 --plan-interval 3",
        "render --checkpoint r --plans --output a.png --columns 3",
        "render --policy random --env hopper --output a.png --speed 1",
        "train --dataset d --output r --device cuda --workers 2",
        "train-policy --method bc --dataset d --output p --expectile 0.7",
        "train-policy --method bc --dataset d --output p --reward-scale auto",
        "train-policy --method iql --dataset d --output p --top-fraction 1",
        "train-critic --dataset d --output c --temperature 3",
        "attention --checkpoint r --dataset d --output a.png --row 0",
        "attention --checkpoint r --dataset d --output a.png --episode 0 --windows 3",
        "predict --checkpoint r --dataset d --video-episode 0",
        "predict --checkpoint r --dataset d --env hopper",
        "dataset convert a.hdf5 b.hdf5 --author me",
        "dataset convert a b --format d4rl --action-limits -1:1",
        "benchmark plan --shape hopper --checkpoint r",
        "evaluate --checkpoint r --paths-by-time",
        "train --dataset d --output r --goal-rule later",
        "benchmark train --device cuda --profile",
    ])
    func `what would do nothing is refused`(line: String) throws {
        let outcome = try Program.run(line.split(separator: " ").map(String.init))
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("error: --"), "\(outcome.errors)")
        #expect(outcome.errors.contains("; leave it out"), "\(outcome.errors)")
    }

    @Test func `a value that begins with a dash has a way in`() throws {
        let outcome = try Program.run("train", "--seed", "-1")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("write --seed=-1"), "\(outcome.errors)")
    }
}
