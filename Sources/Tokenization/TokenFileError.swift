/// Why a token file could not be used or written.
public struct TokenFileError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The file is missing or may not be read.
        case unreadable
        /// The file is something else.
        case foreign
        /// The file is of a later version of the format.
        case version
        /// The file is cut short, or its content contradicts itself.
        case damaged
        /// There is nothing in the data to train on.
        case empty
        /// The file could not be written.
        case unwritable
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, as given by the caller.
    public let file: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        "cannot \(code == .unwritable ? "write" : "use") '\(file)': \(detail)"
    }
}
