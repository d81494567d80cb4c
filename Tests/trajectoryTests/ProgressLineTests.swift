import Foundation
import TestSupport
import Testing

/// Progress on a terminal, which util-linux's `script` is.
@Suite struct ProgressLineTests {
    /// What training shows on a terminal of so many columns, update by update.
    private func shown(columns: Int, _ data: String, _ output: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
        let command =
            "stty cols \(columns); '\(Program.url.path)' train-policy --method bc --dataset "
            + "'\(data)' --steps 1000 --batch-size 16 --width 16 --output '\(output)'"
        process.arguments = ["-qec", command, "/dev/null"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        let erase = "\u{1B}[K"
        return text.components(separatedBy: "\r").filter { $0.hasPrefix(erase) }.map {
            // What follows the last of them is the result.
            String($0.dropFirst(erase.count).prefix { !$0.isNewline })
        }
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")),
        arguments: [10, 30, 58, 150])
    func `a line fits the terminal, with a bar where there is room`(columns: Int) throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output", data)
        let lines = try shown(columns: columns, data, folder.file("policy.safetensors").path)
        #expect(!lines.isEmpty)
        for line in lines {
            #expect(line.count < columns, "'\(line)' on \(columns) columns")
            #expect(line.contains("▕") == (columns == 150), "'\(line)'")
            #expect(columns < 30 || line.contains("left"), "'\(line)'")
        }
    }
}
