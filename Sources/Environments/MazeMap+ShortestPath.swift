import Episodes

extension MazeMap {
    /// The shortest path from one point of the maze to another, as the points between which it is
    /// straight.
    ///
    /// It turns at corners only, so it is found in the graph of the corners that see each other
    /// (Lozano-Pérez and Wesley 1979). Corners count as square at `clearance` from the wall.
    ///
    /// - Parameters:
    ///   - start: x and y in metres.
    ///   - goal: x and y in metres.
    ///   - cellSize: Side of a cell in metres.
    ///   - clearance: Metres to keep away from walls, above 0 so that no path leads between two
    ///     walls that touch at a corner.
    /// - Returns: The points, both ends included; nil where there is no path, or an end is too near
    ///   to a wall.
    public func shortestPath(
        from start: [Double], to goal: [Double], cellSize: Double, clearance: Double
    ) -> [[Double]]? {
        let walls = positions { $0 == .wall }.map { position in
            let center = center(of: position, cellSize: cellSize)
            return Square(x: center.x, y: center.y, half: cellSize / 2 + clearance)
        }
        let corners = walls.flatMap(\.corners).filter { corner in
            !walls.contains { $0.contains(corner) }
        }
        let points = [start, goal] + corners
        // Dijkstra from the start; edges are looked for when their end is settled.
        var distances = points.map { _ in Double.infinity }
        var previous = Array(repeating: 0, count: points.count)
        var open = Set(points.indices)
        distances[0] = 0
        while let here = open.min(by: { (distances[$0], $0) < (distances[$1], $1) }) {
            guard distances[here].isFinite else { return nil }
            if here == 1 { break }
            open.remove(here)
            for there in open {
                let distance = distances[here] + [points[here], points[there]].pathLength
                guard distance < distances[there],
                    !walls.contains(where: { $0.isCrossed(from: points[here], to: points[there]) })
                else { continue }
                distances[there] = distance
                previous[there] = here
            }
        }
        var path = [1]
        while let last = path.last, last != 0 { path.append(previous[last]) }
        return path.reversed().map { points[$0] }
    }

    /// A wall with the clearance around it; its sides do not belong to it.
    private struct Square {
        let x: Double
        let y: Double
        let half: Double

        /// What a path along a side may differ by from rounding, in metres.
        private static let tolerance = 1e-9

        var corners: [[Double]] {
            [[-1, -1], [-1, 1], [1, -1], [1, 1]].map { [x + $0[0] * half, y + $0[1] * half] }
        }

        func contains(_ point: [Double]) -> Bool {
            let inside = half - Self.tolerance
            return abs(point[0] - x) < inside && abs(point[1] - y) < inside
        }

        /// Whether the straight line between two points leads through (Liang and Barsky 1984).
        func isCrossed(from a: [Double], to b: [Double]) -> Bool {
            let inside = half - Self.tolerance
            var (first, last) = (0.0, 1.0)
            for (start, step, center) in [(a[0], b[0] - a[0], x), (a[1], b[1] - a[1], y)] {
                guard step != 0 else {
                    if abs(start - center) >= inside { return false }
                    continue
                }
                let (one, other) = (
                    (center - inside - start) / step, (center + inside - start) / step
                )
                first = max(first, min(one, other))
                last = min(last, max(one, other))
            }
            return first < last
        }
    }
}

extension MappedEnvironment {
    /// Metres of the shortest path from a point to where another counts as reached; nil where there
    /// is none.
    ///
    /// The path to the goal itself, less `GoalEnvironment.successRadius`.
    public func shortestPathLength(from start: [Double], to goal: [Double]) -> Double? {
        let path = map.shortestPath(
            from: start, to: goal, cellSize: cellSize, clearance: agentRadius)
        return path.map { max(0, $0.pathLength - successRadius) }
    }
}

extension [[Double]] {
    /// Sum of the distances from each point of the plane to the next.
    package var pathLength: Double {
        zip(self, dropFirst()).reduce(0) { sum, pair in
            let (x, y) = (pair.1[0] - pair.0[0], pair.1[1] - pair.0[1])
            return sum + (x * x + y * y).squareRoot()
        }
    }
}
