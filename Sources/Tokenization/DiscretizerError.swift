/// Why a discretizer could not be fitted or restored.
public struct DiscretizerError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// Fewer rows than bins.
        case tooFewRows
        /// A value is NaN or infinite.
        case notFinite
        /// The sizes or edges do not describe bins.
        case malformed
    }
    /// What kind of failure this is.
    public let code: Code
    /// The column concerned, counted from 0, if one is.
    public let dimension: Int?
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        "cannot discretize\(dimension.map { " dimension \($0)" } ?? ""): \(detail)"
    }
}
