/// Why a simulation could not be set up.
public struct SimulationError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// No folder with the robot models was found.
        case modelsNotFound
        /// The model's file is missing or MuJoCo refuses it.
        case invalidModel
        /// MuJoCo could not allocate a state.
        case outOfMemory
        /// No offscreen OpenGL is available.
        case noOffscreenContext
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file concerned, if one is.
    public let file: String?
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// Creates an error; `detail` is one line.
    public init(code: Code, file: String? = nil, detail: String) {
        self.code = code
        self.file = file
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String {
        let attempt =
            switch code {
            case .modelsNotFound: "cannot find the robot model"
            case .invalidModel: "cannot load the robot model"
            case .outOfMemory: "cannot simulate"
            case .noOffscreenContext: "cannot render without a display"
            }
        return attempt + (file.map { " '\($0)'" } ?? "") + ": " + detail
    }
}
