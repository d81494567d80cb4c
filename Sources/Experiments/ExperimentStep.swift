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

    /// What it writes: the values of `--output`.
    public var outputs: [String] {
        zip(arguments, arguments.dropFirst()).filter { $0.0 == "--output" }.map(\.1)
    }

    /// Whether it reads what `other` writes.
    func uses(_ other: ExperimentStep) -> Bool {
        let written = Set(other.outputs)
        return arguments.contains { written.contains($0) }
    }

    /// The name as a file name: letters, digits, dots and dashes.
    public var fileName: String {
        String(name.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" })
    }
}
