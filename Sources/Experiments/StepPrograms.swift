public import Foundation

/// The programs that run an experiment's steps, as processes of their own.
public struct StepPrograms: Sendable {
    private let trajectory: URL
    private let python: URL?
    private let scripts: URL

    /// Finds the programs.
    ///
    /// - Parameters:
    ///   - place: Where the experiment lies.
    ///   - trajectory: The command line; this program's own file if not given.
    ///   - python: A Python that has the other projects' packages; the one that
    ///     `Scripts/reference-environment.sh` installs if not given.
    /// - Throws: ``ExperimentError`` when `python` is given and is no program.
    public init(
        _ place: ExperimentPlace, trajectory: URL? = nil, python: String? = nil
    ) throws(ExperimentError) {
        guard let trajectory = trajectory ?? Bundle.main.executableURL else {
            throw ExperimentError(
                code: .program, subject: "trajectory",
                detail: "this program's own file cannot be found")
        }
        self.trajectory = trajectory
        scripts = place.scripts
        let file =
            python.map { URL(fileURLWithPath: $0) }
            ?? place.root.appendingPathComponent(".deps/d3rlpy/bin/python")
        let isThere = FileManager.default.isExecutableFile(atPath: file.path)
        if let python, !isThere {
            throw ExperimentError(
                code: .program, subject: python,
                detail: "it is no program; Scripts/reference-environment.sh installs one")
        }
        self.python = isThere ? file : nil
    }

    /// Those that can be run.
    public var available: Set<ExperimentStep.Program> {
        python == nil ? [.trajectory] : [.trajectory, .reference]
    }

    /// Runs a step and waits for it; what it prints to standard error goes to ours and to the log.
    ///
    /// - Returns: The JSON object that it printed; null if it printed nothing.
    /// - Throws: `ExperimentError` when it fails or prints something else.
    public func run(
        _ step: ExperimentStep, _ arguments: [String], in folder: URL, log: URL
    ) async throws -> JSONValue {
        let process = Process()
        process.currentDirectoryURL = folder
        switch (step.program, python) {
        case (.reference, let python?):
            process.executableURL = python
            let script = arguments.first.map { scripts.appendingPathComponent($0).path }
            process.arguments = [script].compactMap(\.self) + arguments.dropFirst()
        default:
            process.executableURL = trajectory
            process.arguments = arguments
        }
        let output = Pipe()
        let messages = Pipe()
        process.standardOutput = output
        process.standardError = messages
        func failure(_ detail: String) -> ExperimentError {
            ExperimentError(code: .step, subject: step.name, detail: detail)
        }
        do {
            try Data().write(to: log)
            let file = try FileHandle(forWritingTo: log)
            try StepSignals.start(process)
            defer { StepSignals.end() }
            async let said = Self.forward(messages.fileHandleForReading, to: file)
            let printed = output.fileHandleForReading.readDataToEndOfFile()
            let last = await said
            process.waitUntilExit()
            guard process.terminationReason == .exit else {
                throw failure("it was stopped by signal \(process.terminationStatus)")
            }
            guard process.terminationStatus == 0 else {
                let message = last.hasPrefix("error: ") ? String(last.dropFirst(7)) : last
                throw failure("\(message) (log: \(log.path))")
            }
            if printed.allSatisfy({ UInt8(ascii: " ") >= $0 }) { return .null }
            guard let value = try? JSONDecoder().decode(JSONValue.self, from: printed) else {
                throw failure("it printed no JSON object; let its command print one")
            }
            return value
        } catch let error as ExperimentError {
            throw error
        } catch {
            throw failure(error.localizedDescription)
        }
    }

    /// Copies messages to a log and to standard error until they end.
    ///
    /// - Returns: The last line.
    private static func forward(_ messages: FileHandle, to log: FileHandle) async -> String {
        await Task.detached {
            var last = Data()
            while true {
                let data = messages.availableData
                if data.isEmpty { break }
                try? log.write(contentsOf: data)
                FileHandle.standardError.write(data)
                last = (last + data).suffix(2000)
            }
            let lines = String(decoding: last, as: UTF8.self).split(whereSeparator: \.isNewline)
            return lines.last.map(String.init) ?? "it said nothing"
        }.value
    }
}
