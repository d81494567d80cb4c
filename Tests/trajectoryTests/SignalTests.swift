import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct `Commands that are told to stop` {
    private let folder: TemporaryFolder
    private var data: String { folder.file("data.hdf5").path }

    init() throws {
        folder = try TemporaryFolder()
        let outcome = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output",
            folder.file("data.hdf5").path)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func path(_ name: String) -> String { folder.file(name).path }

    private func training(_ run: String, steps: Int) -> [String] {
        [
            "train", "--dataset", data, "--output", path(run), "--layers", "1", "--heads", "1",
            "--width", "8", "--window", "3", "--batch-size", "4", "--workers", "1", "--steps",
            "\(steps)", "--json",
        ]
    }

    /// Runs until the command has printed progress, sends the signals and waits.
    private func stop(
        _ arguments: [String], by signals: [Int32], after: (String) -> Bool = { !$0.isEmpty }
    ) throws -> Program.Outcome {
        let program = try RunningProgram(arguments, in: folder.url)
        try #require(program.wait { after(program.said) }, "\(program.said)")
        for signal in signals { program.send(signal) }
        return try program.finish()
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `train saves the step it is in, and goes on from there`(_ signal: Int32) throws {
        let stopped = try stop(training("run", steps: 100_000), by: [signal]) {
            $0.contains("step ")
        }
        #expect(stopped.status == 128 + signal, "\(stopped.errors)")
        #expect(stopped.output == "")
        let lines = stopped.errors.split(separator: "\n")
        #expect(lines.last?.hasPrefix("stopped after step ") == true)
        #expect(lines.last?.contains("--resume") == true)
        let step = try #require(lines.last?.split(separator: " ")[3]).split(separator: ",")[0]
        let resumed = try stop(training("run", steps: 100_000) + ["--resume"], by: [signal]) {
            $0.contains("step ")
        }
        let first = resumed.errors.split(separator: "\n").first { $0.hasPrefix("step ") }
        let began = first?.split(separator: "/")[0].split(separator: " ").last.flatMap { Int($0) }
        #expect(try #require(began) > #require(Int(step)), "\(resumed.errors)")
    }

    @Test func `a second signal ends at once`() throws {
        let outcome = try stop(training("run", steps: 100_000), by: [SIGTERM, SIGINT]) {
            $0.contains("step ")
        }
        // The first may have been obeyed already.
        #expect([128 + SIGINT, 128 + SIGTERM].contains(outcome.status))
        if outcome.status == 128 + SIGINT { #expect(!outcome.errors.contains("stopped after")) }
    }

    @Test func `a signal that the program was started to ignore is ignored`() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            [
                "-c", "trap '' HUP; \"$@\" & child=$!; sleep 1; kill -HUP $child; wait $child",
                "sh",
                Program.url.path,
            ] + training("run", steps: 20)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `the tool for cards saves the step it is in, and the same command goes on`() throws {
        let tokens = path("data.tokens")
        let made = try Program.run(
            "dataset", "tokenize", data, "--output", tokens)
        try #require(made.status == 0, "\(made.errors)")
        let tool = Program.url.deletingLastPathComponent()
            .appendingPathComponent("trajectory-device")
        func stopped() throws -> (status: Int32, step: Int?) {
            let program = try RunningProgram(
                [
                    "train", tokens, "--output", path("card"), "--device", "cpu", "--layers", "1",
                    "--heads", "1", "--width", "8", "--window", "3", "--batch-size", "4",
                    "--steps", "1000000",
                ], of: tool, in: folder.url)
            let settings = folder.file("card/settings.json")
            let begun = Date.now
            try #require(
                program.wait {
                    let changed = try? FileManager.default.attributesOfItem(
                        atPath: settings.path)[.modificationDate]
                    return (changed as? Date ?? .distantPast) > begun
                }, "\(program.said)")
            program.send(SIGTERM)
            let outcome = try program.finish()
            let words = outcome.errors.split(separator: "\n").last?.split(separator: " ") ?? []
            return (outcome.status, words.count > 3 ? Int(words[3]) : nil)
        }
        let first = try stopped()
        let second = try stopped()
        #expect(first.status == 128 + SIGTERM && second.status == 128 + SIGTERM)
        #expect(try #require(first.step) < #require(second.step))
    }

    @Test func `collect keeps its whole episodes under another name`() throws {
        let output = path("more.hdf5")
        let old = try Data(contentsOf: folder.file("data.hdf5"))
        try old.write(to: folder.file("more.hdf5"))
        let outcome = try stop(
            [
                "collect", "--env", "hopper", "--policy", "random", "--steps", "10000000",
                "--output", output,
            ], by: [SIGTERM])
        #expect(outcome.status == 128 + SIGTERM && outcome.output == "")
        #expect(outcome.errors.contains("episodes are in '\(path("more.partial.hdf5"))'"))
        #expect(try Data(contentsOf: folder.file("more.hdf5")) == old)
        let info = try Program.run("dataset", "info", path("more.partial.hdf5"))
        #expect(info.status == 0 && !info.output.contains("unfinished"))
    }

    @Test func `evaluate reports the episodes that are over`() throws {
        let outcome = try stop(
            [
                "evaluate", "--policy", "medium", "--env", "hopper", "--episodes", "10000",
                "--log", path("log.hdf5"), "--json",
            ], by: [SIGINT])
        #expect(outcome.status == 128 + SIGINT, "\(outcome.errors)")
        #expect(outcome.errors.contains("of 10000 episodes, which the report sums up"))
        struct Report: Decodable { let returns: [Double] }
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(!report.returns.isEmpty)
        let info = try Program.run("dataset", "info", path("log.partial.hdf5"))
        #expect(info.output.contains("episodes     \(report.returns.count) "), "\(info.output)")
    }

    @Test(arguments: ["train-policy", "train-critic", "train-dynamics"])
    func `learners keep what they have under another name`(_ command: String) throws {
        var arguments = [command, "--dataset", data, "--output", path("l.safetensors")]
        arguments += ["--steps", "1000000", "--batch-size", "4"]
        if command == "train-policy" { arguments += ["--method", "bc"] }
        let outcome = try stop(arguments, by: [SIGINT]) { $0.contains("step ") }
        #expect(outcome.status == 128 + SIGINT, "\(outcome.errors)")
        let end = outcome.errors.split(separator: "\n").last ?? ""
        #expect(end.hasPrefix("stopped after step ") && end.contains(path("l.partial.safetensors")))
        #expect(try folder.contents().contains("l.partial.safetensors"))
        #expect(try !folder.contents().contains("l.safetensors"))
    }

    @Test(arguments: ["ars", "sac"])
    func `train-behavior keeps the best policy so far`(_ method: String) throws {
        var arguments = ["train-behavior", "--env", "hopper", "--output", path("best.safetensors")]
        arguments += ["--method", method, "--steps", "100000", "--episodes", "1"]
        arguments += ["--measure-every", method == "ars" ? "1" : "100"]
        let outcome = try stop(arguments, by: [SIGTERM]) { $0.contains("return ") }
        #expect(outcome.status == 128 + SIGTERM, "\(outcome.errors)")
        #expect(outcome.errors.contains("holds the best policy so far"))
        let played = try Program.run(
            "evaluate", "--policy", path("best.safetensors"), "--env", "hopper", "--episodes", "1")
        #expect(played.status == 0, "\(played.errors)")
    }

    @Test func `tokenize leaves nothing`() throws {
        let large = path("large.hdf5")
        let made = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "4000", "--output", large
        )
        #expect(made.status == 0)
        let outcome = try stop(
            ["dataset", "tokenize", large, "--output", path("x.tokens")], by: [SIGTERM])
        if outcome.status == 0 {
            print("it was over before the signal: not tested")
        } else {
            #expect(outcome.status == 128 + SIGTERM)
            #expect(outcome.errors.contains("stopped; no part of"))
            #expect(try !folder.contents().contains { $0.contains("tokens") })
        }
    }

    @Test func `training that has nothing left to do succeeds and says so`() throws {
        #expect(try Program.run(training("run", steps: 3)).status == 0)
        let again = try Program.run(training("run", steps: 3) + ["--resume"])
        #expect(again.status == 0 && again.errors.contains("nothing is left to do"))
        struct End: Decodable { let step: Int, loss: Double }
        let end = try JSONDecoder().decode(End.self, from: Data(again.output.utf8))
        #expect(end.step == 3 && end.loss.isFinite)
    }

    @Test func `a learning rate that cannot be is wrong usage`() throws {
        for rate in ["inf", "nan", "-1"] {
            let outcome = try Program.run(training("r", steps: 3) + ["--learning-rate=\(rate)"])
            #expect(outcome.status == 64, "\(outcome.errors)")
            #expect(
                outcome.errors.contains("learningRate") || outcome.errors.contains("learning-rate"))
        }
        #expect(try !folder.contents().contains("r"))
    }
}
