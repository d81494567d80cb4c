/// Why an HDF5 file could not be read or written.
public struct HDF5Error: Error, CustomStringConvertible, Sendable, Equatable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The file is missing or may not be read.
        case unreadable
        /// The file is not HDF5, or is cut short or damaged.
        case malformed
        /// The file could not be written.
        case unwritable
        /// There is no such group, dataset or attribute.
        case missing
        /// A dataset holds elements of another type.
        case wrongType
        /// Its data lie in another file, which was not allowed.
        case external
        /// Rows were asked for that a dataset does not have.
        case outOfBounds
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, as given by the caller.
    public let file: String
    /// The path of the group, dataset or attribute concerned, if one is.
    public let key: String?
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// Creates an error.
    public init(code: Code, file: String, key: String?, detail: String) {
        (self.code, self.file, self.key, self.detail) = (code, file, key, detail)
    }

    /// One line: what, where, what to do.
    public var description: String {
        let place = key.map { "'\($0)' of '\(file)'" } ?? "'\(file)'"
        return "cannot \(code == .unwritable ? "write" : "read") \(place): \(detail)"
    }
}
