public import Foundation

/// What came of a step: when, where, how long and what it printed.
public struct StepRecord: Sendable, Hashable, Codable {
    /// The step's name.
    public var name: String
    /// What ran it.
    public var program: ExperimentStep.Program
    /// Its arguments, without `--resume`.
    public var arguments: [String]
    /// When it began, the last time.
    public var started: Date
    /// When it ended, the last time.
    public var finished: Date
    /// Wall-clock time in seconds, attempts that were stopped included.
    public var seconds: Double
    /// Processor time in seconds, of all cores together, likewise; nil where it was not measured.
    ///
    /// It tells more than ``seconds`` where the machine did other things too.
    public var processorSeconds: Double?
    /// The commit that ran it; a plus sign says that files were changed since.
    public var commit: String
    /// The machine that ran it.
    public var machine: String
    /// The JSON object that it printed; nil if it was stopped.
    public var result: JSONValue?

    /// Creates a record.
    public init(
        of step: ExperimentStep, started: Date, finished: Date, seconds: Double,
        processorSeconds: Double, commit: String, machine: String, result: JSONValue?
    ) {
        name = step.name
        program = step.program
        arguments = step.arguments
        self.started = started
        self.finished = finished
        self.seconds = seconds
        self.processorSeconds = processorSeconds
        self.commit = commit
        self.machine = machine
        self.result = result
    }

    /// Whether it is a record of this very command.
    func isOf(_ step: ExperimentStep) -> Bool {
        name == step.name && program == step.program && arguments == step.arguments
    }
}
