public import Foundation

/// The programs that run an experiment's steps, as processes of their own.
public struct StepPrograms: Sendable {
    private let trajectory: URL
    private let python: URL?
    private let scripts: URL
    private let variables: [String: String]

    /// Finds the programs.
    ///
    /// - Parameters:
    ///   - place: Where the experiment lies.
    ///   - trajectory: The command line; this program's own file if not given.
    ///   - python: A Python that has the other projects' packages; the one that
    ///     `Scripts/reference-environment.sh` installs if not given.
    ///   - variables: Added to the environment of the steps.
    /// - Throws: ``ExperimentError`` when `python` is given and is no program.
    public init(
        _ place: ExperimentPlace, trajectory: URL? = nil, python: String? = nil,
        variables: [String: String] = [:]
    ) throws(ExperimentError) {
        guard let trajectory = trajectory ?? Bundle.main.executableURL else {
            throw ExperimentError(
                code: .program, subject: "trajectory",
                detail: "this program's own file cannot be found")
        }
        self.trajectory = trajectory
        scripts = place.scripts
        self.variables = variables
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
    /// - Parameters:
    ///   - step: The step.
    ///   - arguments: Of the program.
    ///   - folder: Where it runs.
    ///   - log: Takes what it prints to standard error.
    ///   - isStopped: Asked now and then; where it says so, the step is told to stop and waited for.
    /// - Returns: The JSON object that it printed; null if it printed nothing.
    /// - Throws: `ExperimentError` when it fails, is stopped or prints something else.
    public func run(
        _ step: ExperimentStep, _ arguments: [String], in folder: URL, log: URL,
        until isStopped: @escaping @Sendable () -> Bool = { false }
    ) async throws -> JSONValue {
        func failure(_ detail: String) -> ExperimentError {
            ExperimentError(code: .step, subject: step.name, detail: detail)
        }
        var command = [trajectory.path] + arguments
        if step.program == .reference, let python {
            let script = arguments.first.map { scripts.appendingPathComponent($0).path }
            command = [python.path] + [script].compactMap(\.self) + arguments.dropFirst()
        }
        let outcome: StepProcess.Outcome
        do {
            outcome = try await StepProcess.run(
                command, variables: variables, in: folder, log: log, until: isStopped)
        } catch {
            throw failure(error.localizedDescription)
        }
        let last = outcome.lastMessage
        let message = last.hasPrefix("error: ") ? String(last.dropFirst(7)) : last
        guard !outcome.wasStopped || outcome.status == 0 else {
            throw ExperimentError(
                code: .stopped, subject: step.name,
                detail: "\(message); the same experiment goes on from here (log: \(log.path))")
        }
        if let signal = outcome.signal { throw failure("it was ended by signal \(signal)") }
        guard outcome.status == 0 else { throw failure("\(message) (log: \(log.path))") }
        if outcome.printed.allSatisfy({ UInt8(ascii: " ") >= $0 }) { return .null }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: outcome.printed) else {
            throw failure("it printed no JSON object; let its command print one")
        }
        return value
    }
}
