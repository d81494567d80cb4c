/// Why a picture, video or plot could not be made.
public struct RenderingError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// A program that does the work is not installed.
        case missingProgram
        /// That program failed.
        case programFailed
        /// The file's extension is none that can be written.
        case unknownFormat
        /// The simulation cannot be drawn here.
        case simulation
        /// There is nothing to show.
        case empty
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file that was to be written.
    public let file: String
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String { "cannot make '\(file)': \(detail)" }
}
