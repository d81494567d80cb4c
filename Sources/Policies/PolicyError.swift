/// Why a policy could not be had.
public struct PolicyError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The description of a policy does not parse.
        case malformedPolicy
        /// There is no policy of this name for the environment.
        case unknownPolicy
        /// The policy's file cannot be read.
        case unreadablePolicy
        /// The policy was made for other observations or actions.
        case unsuitablePolicy
        /// The policy's file cannot be written.
        case unwritablePolicy
    }
    /// What kind of failure this is.
    public let code: Code
    /// The policy or file concerned.
    public let subject: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        switch code {
        case .unwritablePolicy: "cannot write the policy '\(subject)': \(detail)"
        default: "cannot use the policy '\(subject)': \(detail)"
        }
    }
}
