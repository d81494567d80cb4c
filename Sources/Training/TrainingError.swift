/// Why a run could not begin, go on, or end well.
public struct TrainingError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The options, or the model's shape, cannot be.
        case unusableOptions
        /// Model and data do not agree on goals.
        case goalMismatch
        /// The dataset has nothing to train on.
        case noWindows
        /// There is a run in the folder, and it was not asked to go on.
        case runExists
        /// There is no run in the folder that could go on.
        case noRun
        /// The run in the folder is of another model, other data or other settings.
        case otherRun
        /// The checkpoint to begin with is of another model or other data.
        case unusableInitial
        /// The run's optimizer was not kept.
        case noOptimizerState
        /// The loss, the gradient or the weights are no finite numbers any more.
        case diverged
        /// Processes that train together have different data, settings or weights.
        case processesDiffer
    }
    /// What kind of failure this is.
    public let code: Code
    /// The run's folder.
    public let directory: String
    /// What went wrong and what to do.
    public let detail: String

    init(_ code: Code, in directory: String, _ detail: String) {
        self.code = code
        self.directory = directory
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot train in '\(directory)': \(detail)" }
}
