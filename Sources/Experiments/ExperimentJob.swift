public import Foundation

/// An experiment from its definition to its page of results.
public struct ExperimentJob: Sendable {
    /// How far to go.
    public enum Extent: Sendable, Hashable {
        /// Run what is open and write the page.
        case run
        /// Write the page from the records that there are.
        case report
        /// Say how the steps stand.
        case list
    }

    /// What the job says while it runs.
    public enum Event: Sendable {
        /// Steps are left out, since programs that they need are not installed.
        case unavailable
        /// A step begins: its number from 1, of so many.
        case step(ExperimentStep, number: Int, count: Int)
    }

    /// How the experiment stands.
    public struct Result: Sendable, Codable {
        /// How a step stands.
        public struct Step: Sendable, Codable {
            /// The step's name.
            public var name: String
            /// Whether it is done.
            public var state: ExperimentRunner.State
            /// Wall-clock time that it took; nil if it was not run.
            public var seconds: Double?
        }
        /// The experiment's name.
        public var experiment: String
        /// The run folder.
        public var folder: String
        /// The page of results; nil if none was written.
        public var page: String?
        /// All steps.
        public var steps: [Step]
    }

    /// The experiment's name, or its file.
    public var name: String
    /// How far to go.
    public var extent = Extent.run
    /// Whether the small size is meant.
    public var quick = false
    /// Settings, or axes with values separated by commas, that replace the definition's.
    public var overrides: [String: String] = [:]
    /// Steps whose names contain one of these are run; all if empty.
    public var only: [String] = []
    /// The run folder; `runs/experiments/NAME` if nil.
    public var folder: URL?
    /// Where the page goes; `docs/results`, or of the small size the run folder, if nil.
    public var results: URL?
    /// The Python of the other projects' algorithms (``StepPrograms``).
    public var python: String?
    /// The environment variable that tells steps where trained models are, besides what it says
    /// already; none if nil.
    public var checkpointsVariable: String?
    /// What the page says made it.
    public var command: String
    /// Asked now and then, on several threads; where it says so, the step that runs is told to stop,
    /// its record written, and the job ends.
    public var isStopped: @Sendable () -> Bool = { false }

    /// A job; `command` is what the page says made it.
    public init(_ name: String, command: String) {
        self.name = name
        self.command = command
    }

    /// Does it.
    ///
    /// - Throws: ``ExperimentError``, and what reading and drawing throw.
    public func run(report: (Event) -> Void = { _ in }) async throws -> Result {
        let place = try ExperimentPlace(named: name)
        let experiment = try Experiment(
            ExperimentDefinition(contentsOf: place.definition), quick: quick,
            overrides: overrides)
        let title = experiment.definition.name + (quick ? "-quick" : "")
        let folder = RunFolder(folder ?? place.runs.appendingPathComponent(title))
        let programs = try StepPrograms(
            place, python: python, variables: variables(of: place))
        let runner = ExperimentRunner(
            experiment, in: folder, programs: programs.available, commit: place.commit,
            machine: Machine.description)
        if extent == .run {
            let lock = try folder.lock()
            try await run(runner, programs, report)
            withExtendedLifetime(lock) {}
        }
        var page: URL?
        if extent != .list {
            let directory = results ?? (quick ? folder.url : place.results)
            let gathered = try ExperimentResults(
                of: experiment,
                publishedIn: directory.appendingPathComponent(
                    experiment.definition.name + ".jsonl"),
                folder: folder)
            page = try ResultsPage(gathered, command: command).write(
                to: directory, picturesOf: folder)
        }
        return Result(
            experiment: experiment.definition.name, folder: folder.url.path, page: page?.path,
            steps: zip(experiment.steps, runner.states).map { step, state in
                Result.Step(
                    name: step.name, state: state, seconds: folder.record(of: step)?.seconds)
            })
    }

    private func variables(of place: ExperimentPlace) -> [String: String] {
        guard let checkpointsVariable else { return [:] }
        let present = ProcessInfo.processInfo.environment[checkpointsVariable]
        return [
            checkpointsVariable: [present, place.checkpoints.path].compactMap(\.self)
                .joined(separator: ":")
        ]
    }

    private func run(
        _ runner: ExperimentRunner, _ programs: StepPrograms, _ report: (Event) -> Void
    ) async throws {
        let isStopped = isStopped
        if runner.states.contains(.unavailable) { report(.unavailable) }
        let count = runner.experiment.steps.count
        try await runner.run(
            selected: { step in only.isEmpty || only.contains { step.name.contains($0) } },
            report: { report(.step($1, number: $0 + 1, count: count)) },
            execute: { step, arguments, log in
                try await programs.run(
                    step, arguments, in: runner.folder.url, log: log, until: isStopped)
            })
    }
}
