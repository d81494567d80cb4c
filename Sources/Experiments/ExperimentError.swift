/// An experiment that cannot be defined, run or reported.
public struct ExperimentError: Error, Hashable, CustomStringConvertible, Sendable {
    /// What is wrong.
    public enum Code: Sendable, Hashable {
        /// The definition is missing, is no YAML or contradicts itself.
        case definition
        /// A step failed or printed no result.
        case step
        /// A record or a result cannot be read or written.
        case record
        /// There is no experiment of the name.
        case unknown
        /// A program that runs steps is missing.
        case program
        /// The experiment was told to stop, or a step of it was.
        case stopped
    }

    /// What is wrong.
    public let code: Code
    /// The experiment, file or step.
    public let subject: String
    /// What about it, and what to do.
    public let detail: String

    /// Creates an error.
    public init(code: Code, subject: String, detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String {
        switch code {
        case .definition: "cannot use experiment '\(subject)': \(detail)"
        case .step: "step '\(subject)' failed: \(detail)"
        case .record: "cannot use '\(subject)': \(detail)"
        case .unknown: "there is no experiment '\(subject)'; \(detail)"
        case .program: "cannot run '\(subject)': \(detail)"
        case .stopped: "stopped in step '\(subject)': \(detail)"
        }
    }
}
