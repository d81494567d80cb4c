public import Environments
public import RandomNumbers

/// Finds its way through a maze to a point, by a waypoint planner and a noisy PD controller.
///
/// The planner goes down the distances from cell to cell; the controller heads for the centre of
/// the next cell, and in the goal's cell for the goal:
///
///     action = clip(gain · (waypoint - position) - damping · velocity + noise · ε)
///
/// as D4RL's controller does, whose gains are the defaults (Fu et al. 2020, arXiv 2004.07219,
/// section 5, Maze2D).
public struct MazeNavigator: Sendable {
    /// Pull towards the waypoint, in units of action for a metre.
    public var gain = 10.0
    /// Resistance to motion, in units of action for a metre a second.
    public var damping = 1.0
    /// Standard deviation of the noise, in units of action.
    public var noise = 0.5
    /// Distance, in metres, at which the goal counts as reached.
    public var reachedDistance = 0.1

    private let map: MazeMap
    private let cellSize: Double

    /// A navigator in `maze`.
    public init(_ maze: some MazeSimulation) {
        map = maze.map
        cellSize = maze.cellSize
    }

    /// The way to `goal`, x and y in metres.
    public func route(to goal: [Double]) -> MazeRoute {
        MazeRoute(to: goal, on: map, cellSize: cellSize)
    }

    /// A goal drawn like an episode's: in a free cell, up to a quarter of its side from the centre.
    public func randomRoute(using generator: inout PCG64) -> MazeRoute {
        let cells = map.positions { $0 != .wall }
        let center = map.center(of: cells[generator.index(below: cells.count)], cellSize: cellSize)
        let x = center.x + generator.uniform(-0.25, 0.25) * cellSize
        let y = center.y + generator.uniform(-0.25, 0.25) * cellSize
        return route(to: [x, y])
    }

    /// Whether the goal is reached from a position.
    public func isAtEnd(of route: MazeRoute, position: [Double]) -> Bool {
        let (x, y) = (position[0] - route.goal[0], position[1] - route.goal[1])
        return x * x + y * y <= reachedDistance * reachedDistance
    }

    /// The action for a point's observation: position and velocity.
    public func action(
        for observation: [Double], along route: MazeRoute, using generator: inout PCG64
    ) -> [Double] {
        let waypoint = waypoint(from: observation, along: route)
        return (0..<2).map { axis in
            let pull = gain * (waypoint[axis] - observation[axis])
            let action = pull - damping * observation[2 + axis] + noise * generator.normal()
            return min(max(action, -1), 1)
        }
    }

    private func waypoint(from observation: [Double], along route: MazeRoute) -> [Double] {
        let cell = map.position(x: observation[0], y: observation[1], cellSize: cellSize)
        guard let next = route.nextCell(from: cell) else { return route.goal }
        let center = map.center(of: next, cellSize: cellSize)
        return [center.x, center.y]
    }
}
