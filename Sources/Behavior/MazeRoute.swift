public import Environments

/// A goal in a maze and the way to it from every cell, from cell to cell.
public struct MazeRoute: Sendable {
    /// Where to go: x and y in metres.
    public let goal: [Double]
    private let map: MazeMap
    private let distances: [MazeMap.Position: Int]

    /// The way to `goal`, x and y in metres.
    public init(to goal: [Double], on map: MazeMap, cellSize: Double) {
        self.goal = goal
        self.map = map
        distances = map.distances(to: map.position(x: goal[0], y: goal[1], cellSize: cellSize))
    }

    /// The cell after `cell` on the shortest way; nil in the goal's cell, and where no way begins.
    public func nextCell(from cell: MazeMap.Position) -> MazeMap.Position? {
        guard let distance = distances[cell], distance > 0 else { return nil }
        return map.neighbours(of: cell).first { distances[$0] == distance - 1 }
    }
}
