/// Why a file that a Python program wrote could not be used, or one could not be written for it.
public struct PythonFileError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The file is missing or cannot be read.
        case unreadable
        /// It is damaged, cut short, or not what it should be.
        case malformed
        /// It is in order, and holds what is not read here.
        case foreign
        /// It lacks what is asked for.
        case missing
        /// What is asked for has another shape or type.
        case mismatch
        /// It could not be written.
        case unwritable
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, as given by the caller.
    public let file: String
    /// The part of it concerned, such as a tensor, if one is.
    public let part: String?
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, file: String, part: String? = nil, _ detail: String) {
        self.code = code
        self.file = file
        self.part = part
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String {
        let place = part.map { "'\($0)' of '\(file)'" } ?? "'\(file)'"
        return "cannot \(code == .unwritable ? "write" : "use") \(place): \(detail)"
    }
}
