public import Trajectories

/// An entry under `metadata` of a D4RL file.
public enum MetadataEntry: Sendable, Equatable {
    /// A text.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// An array of numbers, row-major.
    case numbers([Float], shape: [Int])
}

/// Logged episodes of one environment, as a dataset file holds them.
///
/// D4RL's format (Fu et al. 2020, arXiv 2004.07219) is five arrays over all steps: `observations`
/// N × O, `actions` N × A, `rewards` N, `terminals` N, `timeouts` N. Episodes lie one after the
/// other; a row ends one where either flag is set. Minari's is a folder whose HDF5 file has a group
/// for each episode (``DatasetFile/Format``).
public struct TrajectoryDataset: Sendable, Equatable {
    /// Which column of a transition is which.
    public let layout: TransitionLayout
    /// The episodes, in the order of the file; none is empty.
    public let trajectories: [Trajectory]
    /// Texts that the file carries about itself, such as the environment's name.
    public var attributes: [String: String]
    /// How the data were made, by the path under `metadata` in D4RL's files, such as
    /// `policy/nonlinearity`; written there, and not read.
    public var metadata: [String: MetadataEntry] = [:]
    /// What reading decided by itself, a line for a person each.
    public let notes: [String]

    /// Number of transitions.
    public var rowCount: Int { trajectories.reduce(0) { $0 + $1.count } }

    /// Joins episodes that all have `layout`; empty ones are left out.
    public init(
        layout: TransitionLayout, trajectories: [Trajectory], attributes: [String: String] = [:],
        notes: [String] = []
    ) {
        precondition(
            trajectories.allSatisfy { $0.layout == layout },
            "the trajectories of a dataset have one layout, \(layout)")
        self.layout = layout
        self.trajectories = trajectories.filter { $0.count > 0 }
        self.attributes = attributes
        self.notes = notes
    }
}
