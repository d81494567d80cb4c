/// Why a policy could not be had or a collection not be made.
public struct BehaviorError: Error, CustomStringConvertible, Sendable {
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
        /// No dataset has this name.
        case unknownDataset
        /// A setting has no meaning.
        case invalidSetting
    }
    /// What kind of failure this is.
    public let code: Code
    /// The policy, file or setting concerned.
    public let subject: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        switch code {
        case .unwritablePolicy: "cannot write the policy '\(subject)': \(detail)"
        case .unknownDataset: "cannot collect the dataset '\(subject)': \(detail)"
        case .invalidSetting: "cannot use \(subject): \(detail)"
        default: "cannot use the policy '\(subject)': \(detail)"
        }
    }
}
