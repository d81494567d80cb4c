/// Why a dataset could not be made.
public struct BehaviorError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// No dataset has this name.
        case unknownDataset
        /// The policy that the dataset is made by does not say how it was trained.
        case unrecordedPolicy
    }
    /// What kind of failure this is.
    public let code: Code
    /// The dataset or file concerned.
    public let subject: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        switch code {
        case .unknownDataset: "cannot collect the dataset '\(subject)': \(detail)"
        case .unrecordedPolicy: "cannot use the policy '\(subject)': \(detail)"
        }
    }
}
