public import Environments
public import Evaluation

extension MazePlot {
    /// A plot of episodes until their goals were reached, each on the map of its own, side by side.
    ///
    /// - Parameters:
    ///   - rollouts: The episodes, of which the maps are told by their seeds.
    ///   - rooms: Where they were; it is reset.
    ///   - coloring: A colour for each; or all shaded from the first step to the last.
    public init(
        of rollouts: [Rollout], eachOnItsMap rooms: RoomsEnvironment,
        coloring: Coloring = .trajectory
    ) {
        let maps = rollouts.map { rollout in
            _ = rooms.reset(seed: rollout.seed)
            return rooms.map
        }
        let across = max(1, Int(Double(maps.count).squareRoot().rounded(.up)))
        let (height, width) = (rooms.map.rowCount, rooms.map.columnCount)
        // A row and column of wall between one map and the next.
        let (down, right) = (height + 1, width + 1)
        let rows = (maps.count + across - 1) / across
        var cells = Array(
            repeating: Array(repeating: MazeMap.Cell.wall, count: across * right - 1),
            count: max(1, rows) * down - 1)
        for (index, map) in maps.enumerated() {
            for (row, line) in map.cells.enumerated() {
                let first = index % across * right
                cells[index / across * down + row].replaceSubrange(
                    first..<(first + width), with: line)
            }
        }
        let sheet = MazeMap(cells: cells)
        func points(_ places: [[Double]], of index: Int) -> [Point] {
            let middle = sheet.center(
                of: .init(
                    row: index / across * down + height / 2,
                    column: index % across * right + width / 2
                ), cellSize: rooms.cellSize)
            return places.map { ($0[0] + middle.x, $0[1] + middle.y) }
        }
        self.init(
            map: sheet, cellSize: rooms.cellSize,
            trajectories: rollouts.enumerated().map { points($1.path, of: $0) })
        title = Self.title(of: rollouts, in: rooms)
        self.coloring = coloring
        starts = trajectories.compactMap(\.first)
        goals = rollouts.enumerated().flatMap { points([$1.goal].compactMap(\.self), of: $0) }
    }
}
