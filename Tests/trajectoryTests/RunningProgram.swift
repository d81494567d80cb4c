import Foundation

/// The built program, run while the test does something to it.
final class RunningProgram {
    private let process = Process()
    private let errors: URL
    private let output: URL

    /// Starts the program; what it prints goes to files in `folder`.
    init(_ arguments: [String], of program: URL = Program.url, in folder: URL) throws {
        process.executableURL = program
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let name = UUID().uuidString
        errors = folder.appendingPathComponent("errors-\(name)")
        output = folder.appendingPathComponent("output-\(name)")
        for (file, isErrors) in [(errors, true), (output, false)] {
            try Data().write(to: file)
            let handle = try FileHandle(forWritingTo: file)
            if isErrors { process.standardError = handle } else { process.standardOutput = handle }
        }
        // The signals that a test's thread blocks would be blocked in the program.
        var none = sigset_t()
        var present = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &present)
        defer { pthread_sigmask(SIG_SETMASK, &present, nil) }
        try process.run()
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Whether it has not ended.
    var isRunning: Bool { process.isRunning }

    /// What it has printed to standard error so far.
    var said: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Waits until `condition` holds; false when it has not after `seconds`, or the program ended.
    func wait(seconds: Double = 120, until condition: () -> Bool) -> Bool {
        let end = Date.now + seconds
        while !condition() {
            guard Date.now < end, isRunning else { return condition() }
            usleep(2_000)
        }
        return true
    }

    /// Waits for the end; the status is 128 + n where signal n ended it.
    func finish() throws -> Program.Outcome {
        process.waitUntilExit()
        let status = process.terminationStatus
        return Program.Outcome(
            status: process.terminationReason == .exit ? status : 128 + status,
            output: try String(contentsOf: output, encoding: .utf8), errors: said)
    }

    deinit {
        if process.isRunning {
            send(SIGKILL)
            process.waitUntilExit()
        }
    }
}
