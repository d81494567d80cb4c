import Foundation

extension Checks {
    /// The small checks once more under each tool of compute-sanitizer, in processes of their own.
    mutating func checkSanitizers(_ parts: [String], card: Int) {
        guard let sanitizer = Self.sanitizer else {
            print("skip  sanitizers: compute-sanitizer is not in PATH")
            return
        }
        for tool in ["memcheck", "racecheck", "initcheck", "synccheck"] {
            run("compute-sanitizer, \(tool)") {
                let process = Process()
                let output = Pipe()
                process.executableURL = sanitizer
                process.arguments =
                    [
                        "--tool", tool, "--error-exitcode", "99",
                        CommandLine.arguments[0], "check", "--quick", "--card", "\(card)",
                        "--parts",
                    ] + parts
                process.standardOutput = output
                process.standardError = output
                try process.run()
                let data = output.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
                let summary = lines.last { $0.contains("SUMMARY") }.map {
                    $0.trimmingCharacters(in: CharacterSet(charactersIn: "= "))
                }
                guard process.terminationStatus == 0, let summary else {
                    let first = lines.first {
                        $0.hasPrefix("FAIL") || $0.hasPrefix("=========  ")
                            || $0.hasPrefix("========= Error")
                    }
                    throw Failure(
                        description: "\(summary ?? "no summary"); "
                            + "\(first ?? lines.last ?? "no output")")
                }
                return summary
            }
        }
    }

    private static var sanitizer: URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/local/cuda/bin"]
        return folders.lazy.map {
            URL(fileURLWithPath: $0).appendingPathComponent(
                "compute-sanitizer")
        }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}
