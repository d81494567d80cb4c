import Foundation
import TestSupport
import Testing

@Suite struct `Outputs of commands` {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func collect(_ output: String, steps: Int = 60) -> [String] {
        [
            "collect", "--env", "hopper", "--policy", "random", "--steps", "\(steps)", "--output",
            output,
        ]
    }

    /// Runs the program from a shell, whose `script` has it as `"$@"`.
    private func shell(_ script: String, _ arguments: [String]) throws -> Program.Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", Program.url.path] + arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let isExit = process.terminationReason == .exit
        return Program.Outcome(
            status: isExit ? process.terminationStatus : 128 + process.terminationStatus,
            output: String(decoding: printed, as: UTF8.self),
            errors: String(decoding: said, as: UTF8.self))
    }

    private func oneError(_ outcome: Program.Outcome, _ part: String) {
        let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(outcome.status == 1, "\(outcome.status): \(outcome.errors)")
        #expect(errors.count == 1 && errors.first?.contains(part) == true, "\(outcome.errors)")
    }

    @Test func `a result that standard output does not take is a failure`() throws {
        for arguments in [["environments"], ["environments", "--json"], ["--help"], ["--version"]] {
            for place in [">/dev/full", ">&-"] {
                oneError(try shell("\"$@\" \(place)", arguments), "standard output")
            }
        }
        let data = folder.file("a.hdf5").path
        // No file of the command may get the number of a closed stream.
        oneError(try shell("\"$@\" >&-", collect(data)), "standard output")
        #expect(try Program.run("dataset", "info", data).status == 0)
    }

    @Test func `where nobody can be told of progress the work is done all the same`() throws {
        for place in ["2>/dev/full", "2>&-", "<&- 2>&-"] {
            let outcome = try shell("\"$@\" \(place)", collect(folder.file("a.hdf5").path))
            #expect(outcome.status == 0, "\(place)")
        }
    }

    @Test func `data goes to where a link, a pipe or an open file leads`() throws {
        let plain = folder.file("plain.hdf5")
        #expect(try Program.run(collect(plain.path)).status == 0)
        let data = try Data(contentsOf: plain)
        try FileManager.default.createDirectory(
            at: folder.file("disk"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.hdf5").path, withDestinationPath: "disk/d.hdf5")
        #expect(try Program.run(collect(folder.file("link.hdf5").path)).status == 0)
        #expect(try Data(contentsOf: folder.file("disk/d.hdf5")) == data)
        let piped = folder.file("piped.hdf5").path
        let outcome = try shell("\"$@\" 3>&1 >/dev/null | cat > '\(piped)'", collect("/dev/fd/3"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: piped)) == data)
    }

    @Test func `a place that cannot take the result is refused before the work`() throws {
        try Data().write(to: folder.file("file"))
        for (output, part) in [
            (folder.url.path, "it is a folder"), ("", "it is a folder"), ("/", "it is a folder"),
            (folder.file("file/x.hdf5").path, "Not a directory"),
            ("/proc/none/x.hdf5", "nothing can be written"),
        ] {
            let outcome = try Program.run(collect(output, steps: 10_000_000))
            oneError(outcome, part)
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func `a disk that fills costs one line and no old file`() throws {
        let data = folder.file("data.hdf5").path
        #expect(try Program.run(collect(data, steps: 1000)).status == 0)
        guard let disk = SmallDisk(kilobytes: 24) else {
            print("no disk can be mounted here: not tested")
            return
        }
        func file(_ name: String) -> String { disk.url.appendingPathComponent(name).path }
        try Data("old".utf8).write(to: URL(fileURLWithPath: file("x.hdf5")))
        for arguments in [
            collect(file("x.hdf5"), steps: 1000), ["dataset", "convert", data, file("x.hdf5")],
            ["dataset", "convert", data, file("x-v0")],
            ["dataset", "tokenize", data, "--output", file("x.tokens")],
            [
                "train-policy", "--method", "bc", "--dataset", data, "--steps", "1", "--output",
                file("x.safetensors"),
            ],
            [
                "train", "--dataset", data, "--output", file("run"), "--steps", "1", "--layers",
                "1",
                "--width", "32", "--batch-size", "2",
            ],
        ] {
            let outcome = try Program.run(arguments)
            oneError(outcome, "No space left")
            #expect(!outcome.errors.contains(".part"))
            try? FileManager.default.removeItem(atPath: file("run"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: disk.url.path) == ["x.hdf5"])
            #expect(try String(contentsOfFile: file("x.hdf5"), encoding: .utf8) == "old")
        }
    }

    @Test func `a file that may not grow further costs one line`() throws {
        // In blocks of 512 bytes.
        let outcome = try shell(
            "ulimit -f 16; exec \"$@\"", collect(folder.file("x.hdf5").path, steps: 1000))
        oneError(outcome, "File too large")
        #expect(try folder.contents() == [])
    }
}
