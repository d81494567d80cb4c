/// One command of an experiment, with all places filled.
public struct ExperimentStep: Sendable, Hashable {
    /// What runs the command.
    public enum Program: String, Sendable, Hashable, Codable {
        /// This project's command line.
        case trajectory
        /// A Python program of another project's algorithms, in `Experiments/python`.
        case reference
    }

    /// What tells the step from the others.
    public let name: String
    /// What runs it.
    public let program: Program
    /// The arguments, the subcommand or script first.
    public let arguments: [String]
    /// What it writes: the value of `--output`, and what the definition names besides.
    public let outputs: [String]
    /// A folder that holds a run to go on with, if it is there.
    public let resumes: String?
    /// Pictures it makes.
    public let figures: [Figure]

    /// A picture and what it shows.
    public struct Figure: Sendable, Hashable {
        /// The file, in the experiment's folder.
        public let file: String
        /// What it shows.
        public let caption: String
    }

    /// Whether it reads what `other` writes.
    func uses(_ other: ExperimentStep) -> Bool {
        arguments.contains { other.outputs.contains($0) }
    }

    /// The name as a file name: letters, digits, dots and dashes.
    public var fileName: String {
        String(name.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" })
    }
}
