/// Why a file or folder cannot be written.
public struct FileError: Error, Hashable, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// What lies there cannot take a result: a folder, a socket.
        case unusable
        /// The system refused; the detail has its reason.
        case unwritable
        /// Another process writes there.
        case busy
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file or folder, as given by the caller.
    public let file: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, _ file: String, _ detail: String) {
        self.code = code
        self.file = file
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot write '\(file)': \(detail)" }
}
