import HDF5
import PythonFiles

/// Why a dataset could not be read or written.
public struct DatasetError: Error, CustomStringConvertible, Sendable, Equatable, Codable {
    /// The kinds of failure.
    public enum Code: String, Sendable, Hashable, Codable {
        /// The file is missing, not HDF5, or damaged.
        case unreadable
        /// The file could not be written.
        case unwritable
        /// The file lacks a field.
        case missingField
        /// A field has the wrong shape or length.
        case shapeMismatch
        /// A field holds elements of another type, or values that its meaning does not allow.
        case wrongType
        /// A number is NaN or infinite.
        case notFinite
        /// Its data lie in another file, which was not allowed.
        case external
        /// All of it at once needs more memory than there is.
        case tooLarge
        /// There are no transitions.
        case empty
        /// An option of reading does not go with the file.
        case unusedOption
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, as given by the caller.
    public let file: String
    /// The field concerned, such as `observations`, if one is.
    public let field: String?
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String {
        let place = field.map { "'\($0)' of '\(file)'" } ?? "'\(file)'"
        return "cannot \(code == .unwritable ? "write" : "use") \(place): \(detail)"
    }

    init(_ code: Code, file: String, field: String? = nil, _ detail: String) {
        self.code = code
        self.file = file
        self.field = field
        self.detail = detail
    }

    init(_ error: HDF5Error) {
        let code: Code =
            switch error.code {
            case .unreadable, .malformed, .outOfBounds: .unreadable
            case .unwritable: .unwritable
            case .external: .external
            case .missing: .missingField
            case .wrongType: .wrongType
            }
        self.init(code, file: error.file, field: error.key, error.detail)
    }

    init(_ error: PythonFileError) {
        let code: Code =
            switch error.code {
            case .unreadable, .malformed, .foreign: .unreadable
            case .missing: .missingField
            case .mismatch: .wrongType
            case .unwritable: .unwritable
            }
        self.init(code, file: error.file, field: error.part, error.detail)
    }
}
