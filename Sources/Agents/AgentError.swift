/// Why a trained model cannot act in an environment.
public struct AgentError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The model was trained for other observations or actions.
        case otherLayout
        /// The model was trained to reach goals, and the environment has none.
        case noGoals
        /// The model was trained to reach goals that the environment's observations do not show.
        case unobservedGoals
        /// The model was trained to reach goals in other columns of the observation.
        case otherGoals
    }
    /// What kind of failure this is.
    public let code: Code
    /// The model, by the name it was given.
    public let model: String
    /// Columns of the environment's observation that hold a goal; empty where it shows none.
    public var goalColumns: [Int] = []
    /// What went wrong and what to do.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String { "cannot use checkpoint '\(model)': \(detail)" }
}
