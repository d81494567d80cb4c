public import Foundation

/// Runs the steps of an experiment, and only those that are not done.
public struct ExperimentRunner: Sendable {
    /// What a step is run with.
    public typealias Execute =
        @Sendable (_ step: ExperimentStep, _ arguments: [String], _ log: URL) async throws ->
        JSONValue

    /// How a step stands.
    public enum State: String, Sendable, Hashable, Codable {
        /// Its command has run, after all that it reads was made.
        case done
        /// It has to run.
        case open
        /// It needs a program that is not installed.
        case unavailable
    }

    /// What is run.
    public let experiment: Experiment
    /// Where.
    public let folder: RunFolder
    /// The programs that can be run.
    public let programs: Set<ExperimentStep.Program>
    /// What is noted as the commit.
    public let commit: String
    /// What is noted as the machine.
    public let machine: String

    /// Creates a runner.
    public init(
        _ experiment: Experiment, in folder: RunFolder,
        programs: Set<ExperimentStep.Program> = [.trajectory], commit: String, machine: String
    ) {
        self.experiment = experiment
        self.folder = folder
        self.programs = programs
        self.commit = commit
        self.machine = machine
    }

    /// How every step stands.
    public var states: [State] {
        var states: [State] = []
        var records: [StepRecord?] = []
        for (index, step) in experiment.steps.enumerated() {
            let record = folder.record(of: step)
            records.append(record)
            let sources = experiment.steps.indices.prefix(index).filter {
                step.uses(experiment.steps[$0])
            }
            // What was made anew since makes the step out of date.
            let isCurrent = sources.allSatisfy { source in
                states[source] == .done
                    && records[source].map { $0.finished <= record?.started ?? .distantPast }
                        == true
            }
            if record?.result != nil, isCurrent {
                states.append(.done)
            } else {
                states.append(programs.contains(step.program) ? .open : .unavailable)
            }
        }
        return states
    }

    /// Runs what is open, in order.
    ///
    /// - Parameters:
    ///   - selected: Which steps may run; others keep their state.
    ///   - report: Told of a step before it runs, with its number from 0.
    ///   - execute: Runs a step in the folder and returns the JSON object that it printed.
    /// - Throws: ``ExperimentError`` when a step fails or needs one that was not selected; what was
    ///   done stays done.
    public func run(
        selected: (ExperimentStep) -> Bool = { _ in true },
        report: (Int, ExperimentStep) -> Void = { _, _ in }, execute: Execute
    ) async throws {
        try folder.create()
        var states = states
        for (index, step) in experiment.steps.enumerated() where selected(step) {
            guard states[index] == .open else { continue }
            for source in experiment.steps.indices.prefix(index)
            where step.uses(experiment.steps[source]) && states[source] != .done {
                throw ExperimentError(
                    code: .step, subject: step.name,
                    detail: "it reads what '\(experiment.steps[source].name)' makes, which is "
                        + "not done; run that too")
            }
            report(index, step)
            try await run(step, execute)
            // What reads its output is out of date now.
            states = self.states
        }
    }

    private func run(_ step: ExperimentStep, _ execute: Execute) async throws {
        var arguments = step.arguments
        if let folder = step.resumes,
            FileManager.default.fileExists(
                atPath: self.folder.url.appendingPathComponent(folder)
                    .appendingPathComponent("checkpoint.json").path)
        {
            arguments.append("--resume")
        }
        let stopped = folder.record(of: step).flatMap { $0.result == nil ? $0 : nil }
        let clock = ContinuousClock()
        let start = (date: Date.now, instant: clock.now, processor: Self.processorSeconds())
        func tenths(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
        func record(_ result: JSONValue?) throws {
            let seconds = (clock.now - start.instant) / .seconds(1)
            let processor = Self.processorSeconds() - start.processor
            try folder.write(
                StepRecord(
                    of: step, started: start.date, finished: .now,
                    seconds: tenths(seconds + (stopped?.seconds ?? 0)),
                    processorSeconds: tenths(processor + (stopped?.processorSeconds ?? 0)),
                    commit: commit, machine: machine, result: result), of: step)
        }
        do {
            try record(try await execute(step, arguments, folder.log(of: step)))
        } catch {
            try record(nil)
            throw error
        }
    }

    /// Processor time of all processes that this one started and that have ended.
    private static func processorSeconds() -> Double {
        var usage = rusage()
        // RUSAGE_CHILDREN, whose type differs between systems.
        getrusage(-1, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6
        }
    }
}
