/// One of D4RL's six AntMazes: a map, and where the episodes of its dataset start and lead.
///
/// Fu et al. 2020, arXiv 2004.07219; d4rl/locomotion/maze_env.py, version 2 of the environments.
public struct AntMazeTask: Sendable, Hashable {
    /// The maps, which are Gymnasium-Robotics' too.
    public enum Size: String, Sendable, Hashable, CaseIterable {
        case umaze, medium, large
    }

    /// Between which places the robot was sent when the dataset was logged.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// From where evaluation starts to where it leads.
        case fixed
        /// From anywhere else to some chosen cells.
        case play
        /// From anywhere to anywhere.
        case diverse
    }

    /// The map's size.
    public let size: Size
    /// What its dataset is made of.
    public let kind: Kind

    /// The tasks that D4RL has.
    public static let all = [
        AntMazeTask(.umaze, .fixed), AntMazeTask(.umaze, .diverse), AntMazeTask(.medium, .play),
        AntMazeTask(.medium, .diverse), AntMazeTask(.large, .play), AntMazeTask(.large, .diverse),
    ]

    private init(_ size: Size, _ kind: Kind) {
        self.size = size
        self.kind = kind
    }

    /// The task of a name such as `antmaze-large-play-v2`, its version left out or not; nil where it
    /// names none.
    public init?(named name: String) {
        guard let task = Self.all.first(where: { [$0.identifier, $0.dataset].contains(name) })
        else { return nil }
        self = task
    }

    /// The environment's name in D4RL.
    public var identifier: String { dataset + "-v2" }
    /// The dataset's name, which has no version here.
    public var dataset: String {
        "antmaze-\(size.rawValue)" + (kind == .fixed ? "" : "-\(kind.rawValue)")
    }

    /// Steps after which an episode is cut.
    public var maximumEpisodeSteps: Int { size == .umaze ? 700 : 1000 }

    /// Side of a cell in metres.
    package static let cellSize = 4.0
    /// Where every episode of evaluation starts.
    package static let startCell = MazeMap.Position(row: 1, column: 1)

    /// The map; the start is the origin.
    public var map: MazeMap {
        guard var map = MazeMap.named.first(where: { $0.name == size.rawValue })?.map else {
            preconditionFailure("there is no map '\(size.rawValue)'")
        }
        map.frame = .cell(Self.startCell)
        return map
    }

    /// Where every episode of evaluation leads.
    public var goalCell: MazeMap.Position {
        switch size {
        case .umaze: .init(row: 3, column: 1)
        case .medium: .init(row: 6, column: 6)
        case .large: .init(row: 7, column: 9)
        }
    }

    /// The goals of play: the cells marked in D4RL's maps for making data (maze_env.py).
    private var chosenCells: [MazeMap.Position] {
        let places: [(row: Int, column: Int)] =
            switch size {
            case .umaze: [(3, 1)]
            case .medium: [(2, 6), (5, 1), (6, 5)]
            case .large: [(1, 6), (3, 5), (3, 10), (5, 2), (7, 4), (7, 6), (7, 9)]
            }
        return places.map { MazeMap.Position(row: $0.row, column: $0.column) }
    }

    /// Cells to which the robot was sent.
    public var commandedCells: [MazeMap.Position] {
        kind == .diverse ? map.positions { $0 != .wall } : chosenCells
    }

    /// Cells from which it was sent.
    ///
    /// In the published code play starts anywhere but in the chosen cells (the paper speaks of
    /// chosen starts).
    public var startCells: [MazeMap.Position] {
        switch kind {
        case .fixed: [Self.startCell]
        case .play: map.positions { $0 != .wall }.filter { !chosenCells.contains($0) }
        case .diverse: map.positions { $0 != .wall }
        }
    }
}
