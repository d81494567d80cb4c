import Foundation

/// The built program, run as a user runs it.
enum Program {
    /// What a run left behind.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program.
    static var url: URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("trajectory")
    }

    /// Runs the program to its end.
    static func run(_ arguments: String...) throws -> Outcome {
        try run(arguments)
    }

    /// Runs the program to its end; `path` replaces the PATH on which it finds other programs, and
    /// `environment` adds variables.
    static func run(
        _ arguments: [String], path: String? = nil, environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        var changes = environment
        if let path { changes["PATH"] = path }
        process.environment = ProcessInfo.processInfo.environment.merging(changes) { $1 }
        process.executableURL = url
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What these tests print fits into the pipes' buffers, so reading one after the other
        // cannot block the program.
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self))
    }
}
