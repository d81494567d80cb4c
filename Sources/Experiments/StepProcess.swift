import Foundation

/// The process of a step.
///
/// It ends with this one, however that ends (`setpriv --pdeathsig` of util-linux, where installed):
/// otherwise a step whose experiment was killed would go on, beside the same step begun again.
enum StepProcess {
    /// What came of a process.
    struct Outcome: Sendable {
        /// Its exit status.
        var status: Int32
        /// The signal that ended it, if one did.
        var signal: Int32?
        /// Whether it was told to stop.
        var wasStopped: Bool
        /// What it printed to standard output.
        var printed: Data
        /// The last line that it printed to standard error.
        var lastMessage: String
    }

    /// Runs a command, a path and its arguments, and waits for it; `variables` are added to this
    /// process's environment.
    static func run(
        _ command: [String], variables: [String: String] = [:], in folder: URL, log: URL,
        until isStopped: @escaping @Sendable () -> Bool
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: the system takes the end of the thread that starts a process for
            // that of the one it shall not outlive.
            let thread = Thread {
                continuation.resume(
                    with: Result {
                        try wait(for: command, variables, in: folder, log: log, until: isStopped)
                    })
            }
            thread.name = "step"
            thread.start()
        }
    }

    private static func wait(
        for command: [String], _ variables: [String: String], in folder: URL, log: URL,
        until isStopped: () -> Bool
    ) throws -> Outcome {
        let process = Process()
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        let command = guarding + command
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        let (output, messages) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = messages
        try Data().write(to: log)
        let file = try FileHandle(forWritingTo: log)
        try start(process)

        let reading = DispatchGroup()
        nonisolated(unsafe) var (printed, last) = (Data(), Data())
        DispatchQueue.global().async(group: reading) {
            printed = output.fileHandleForReading.readDataToEndOfFile()
        }
        DispatchQueue.global().async(group: reading) {
            while true {
                let data = messages.fileHandleForReading.availableData
                if data.isEmpty { break }
                try? file.write(contentsOf: data)
                try? FileHandle.standardError.write(contentsOf: data)
                last = (last + data).suffix(2000)
            }
        }
        var wasStopped = false
        while reading.wait(timeout: .now() + 0.02) == .timedOut {
            guard !wasStopped, isStopped() else { continue }
            wasStopped = true
            process.terminate()
        }
        process.waitUntilExit()
        let lines = String(decoding: last, as: UTF8.self).split(whereSeparator: \.isNewline)
        let hasExited = process.terminationReason == .exit
        return Outcome(
            status: process.terminationStatus,
            signal: hasExited ? nil : process.terminationStatus, wasStopped: wasStopped,
            printed: printed, lastMessage: lines.last.map(String.init) ?? "it said nothing")
    }

    /// What stands in front of a command so that its process ends with this one.
    private static let guarding: [String] = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let program = folders.map { "\($0)/setpriv" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        return program.map { [$0, "--pdeathsig", "KILL", "--"] } ?? []
    }()

    private static func start(_ process: Process) throws {
        // A process inherits which signals are blocked, and on threads that Swift makes most are.
        var none = sigset_t()
        var present = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &present)
        defer { pthread_sigmask(SIG_SETMASK, &present, nil) }
        try process.run()
    }
}
