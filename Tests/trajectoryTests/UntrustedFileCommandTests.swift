import Foundation
import TestSupport
import Testing

/// What the program does with files and numbers that nobody vouches for: one line, no crash.
@Suite struct UntrustedFileCommandTests {
    private let golden = GoldenData(Bundle.module)
    private var dataset: String { get throws { try golden.url("dataset_gzip.hdf5").path } }

    /// What a failure must look like.
    private func expectOneLine(_ outcome: Program.Outcome, _ status: Int32, _ words: String) {
        #expect(outcome.status == status, "\(outcome.errors)")
        let lines = outcome.errors.split(whereSeparator: \.isNewline)
        #expect(lines.count(where: { $0.lowercased().hasPrefix("error:") }) == 1)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test func `a dataset that is read elsewhere is the same`() throws {
        let whole = try Program.run("dataset", "info", dataset, "--json")
        #expect(whole.status == 0, "\(whole.errors)")
        #expect(whole.output.contains("\"episodes\""))
        let folder = try TemporaryFolder()
        // One walk is the reader's that opened the file, further ones are their own.
        let tokens = folder.url.appendingPathComponent("d.tokens").path
        let made = try Program.run(
            "dataset", "tokenize", dataset, "--output", tokens, "--bins", "10", "--discretizer",
            "uniform")
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test func `a file that crashes the C library is told in one line`() throws {
        let file = try golden.url("untrusted/crash.hdf5").path
        let outcome = try Program.run("dataset", "info", file)
        expectOneLine(outcome, 1, "the process that reads it for us failed: it crashed")
    }

    @Test(arguments: [
        "--beam-width 9223372036854775807", "--expansion-factor 4611686018427387904",
        "--horizon 9223372036854775807 --deadline-ms 20", "--horizon 9223372036854775807",
        "--context-transitions 9223372036854775807", "--episodes 9223372036854775807",
        "--beam-width 10000000", "--parallel 9223372036854775807",
        "--replan-interval 9223372036854775807", "--action-top-k 9223372036854775807",
        "--maximum-steps 9223372036854775807",
    ])
    func `numbers of evaluate have bounds`(_ options: String) throws {
        let arguments = "evaluate --checkpoint none --env hopper \(options)"
        expectOneLine(try Program.run(arguments.split(separator: " ").map(String.init)), 64, "--")
    }

    @Test(arguments: [
        ("--steps 9223372036854775807 --time-limit 0.02", 64), ("--batch-size 1000000000000", 64),
        ("--width 1000000", 64), ("--layers 100000", 64), ("--workers 9223372036854775807", 64),
        ("--window 9223372036854775807", 64), ("--bins 9223372036854775807", 64),
        ("--heads 9223372036854775807", 64), ("--window 100000", 1), ("--width 65536", 1),
    ])
    func `numbers of train have bounds, and so has its memory`(
        _ options: String, _ status: Int32
    ) throws {
        let folder = try TemporaryFolder()
        let arguments =
            try ["train", "--dataset", dataset, "--output", folder.url.path + "/r"]
            + "\(options.contains("--bins") ? "" : "--bins 10") \(options)".split(separator: " ")
            .map(String.init)
        expectOneLine(
            try Program.run(arguments), status,
            status == 64 ? "must be at most" : "of memory, this machine has")
    }

    @Test func `more transitions than the memory holds are refused before the first is made`()
        throws
    {
        let folder = try TemporaryFolder()
        let outcome = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "1000000000000",
            "--output", folder.url.path + "/d.hdf5")
        expectOneLine(outcome, 1, "keeping 1000000000000 transitions would need about 1.28e+05 GB")
    }

    @Test(arguments: [
        "train-policy --method bc --output p --dataset D --width 9223372036854775807",
        "train-policy --method bc --output p --dataset D --layers 9223372036854775807",
        "train-policy --method bc --output p --dataset D --batch-size 9223372036854775807",
        "train-policy --method bc --output p --dataset D --workers 9223372036854775807",
        "train-dynamics --output p --dataset D --members 9223372036854775807",
        "collect --env hopper --policy random --steps 9 --output p --workers 9223372036854775807",
        "collect --env hopper --policy random --output p --steps 9223372036854775807",
        "attention --checkpoint c --dataset D --output a.png --row 9223372036854775807",
        "attention --checkpoint c --dataset D --output a.png --windows 9223372036854775807",
        "predict --checkpoint c --dataset D --horizon 9223372036854775807",
        "predict --checkpoint c --dataset D --samples 9223372036854775807",
        "train-behavior --env hopper --output p --steps 9223372036854775807",
        "dataset info D --max-episode-length 9223372036854775807",
        "benchmark plan --together 9223372036854775807",
        "benchmark environments --copies 9223372036854775807",
        "benchmark train --batch 9223372036854775807",
    ])
    func `numbers of other commands have bounds`(_ line: String) throws {
        let outcome = try Program.run(line.split(separator: " ").map(String.init))
        expectOneLine(outcome, 64, "must be at most")
    }
}
