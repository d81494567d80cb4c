/// Why something could not be learnt, or what was learnt not be had.
public struct LearningError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// There is nothing to learn from.
        case noData
        /// A setting has no meaning.
        case invalidSetting
        /// A loss or a weight is no finite number.
        case diverged
        /// The critic's file cannot be read.
        case unreadableCritic
        /// The critic was made for other observations or actions.
        case unsuitableCritic
        /// The critic's file cannot be written.
        case unwritableCritic
        /// The dynamics model's file cannot be read.
        case unreadableDynamics
        /// The dynamics model's file cannot be written.
        case unwritableDynamics
        /// The snapshot of a run cannot be read.
        case unreadableSnapshot
        /// The snapshot belongs to another environment or to other settings.
        case unsuitableSnapshot
        /// The snapshot of a run cannot be written.
        case unwritableSnapshot
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, setting or place concerned.
    public let subject: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    package init(_ code: Code, _ subject: String, _ detail: String) {
        self.code = code
        self.subject = subject
        self.detail = detail
    }

    /// Learning that came to no finite number at `step`, counted from 1.
    init(diverged what: String, at step: Int, seed: UInt64) {
        self.init(
            .diverged, "step \(step)",
            "\(what) (seed \(seed), which with the step decides the batch); give a smaller learning "
                + "rate")
    }

    /// One line: what, where, what to do.
    public var description: String {
        switch code {
        case .noData: "cannot learn from \(subject): \(detail)"
        case .invalidSetting: "cannot learn with \(subject): \(detail)"
        case .diverged: "learning diverged at \(subject): \(detail)"
        case .unreadableCritic, .unsuitableCritic: "cannot use the critic '\(subject)': \(detail)"
        case .unwritableCritic: "cannot write the critic '\(subject)': \(detail)"
        case .unreadableDynamics: "cannot use the dynamics model '\(subject)': \(detail)"
        case .unwritableDynamics: "cannot write the dynamics model '\(subject)': \(detail)"
        case .unreadableSnapshot, .unsuitableSnapshot:
            "cannot go on from the snapshot '\(subject)': \(detail)"
        case .unwritableSnapshot: "cannot write the snapshot '\(subject)': \(detail)"
        }
    }
}
