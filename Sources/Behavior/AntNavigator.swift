package import Environments
import Foundation
package import Policies
package import RandomNumbers

/// Finds its way through D4RL's AntMaze: a planner says where to, a walker how.
///
/// The planner goes down the distances from cell to cell, as ``MazeNavigator``, and heads for the
/// next cell, each step for another point of it, or for the goal where that is next. The walker was
/// trained on `AntGoalEnvironment` and is told the direction alone. To its action, which is drawn,
/// noise is added:
///
///     action = clip(walker(state, direction) + noise · ε)
///
/// (d4rl/locomotion/maze_env.py and scripts/generation/generate_ant_maze_datasets.py.) D4RL looks
/// half a cell behind for the cell that the robot is in; here it first gets to the middle of its own
/// cell where the way turns.
package struct AntNavigator: Sendable {
    /// Standard deviation of the noise, in units of action.
    package var noise = 0.2
    /// Metres beside the line from cell to cell beyond which the way first leads back to it: what a
    /// leg needs beside a wall.
    private static let reach = 1.0

    private let walker: any Policy
    private let map: MazeMap
    private let cellSize: Double

    /// A navigator in mazes of `map`, on the legs of `walker`.
    package init(on map: MazeMap, walker: any Policy) {
        self.map = map
        self.walker = walker
        cellSize = AntMazeTask.cellSize
    }

    /// The way to `goal`, x and y in metres.
    package func route(to goal: [Double]) -> MazeRoute {
        MazeRoute(to: goal, on: map, cellSize: cellSize)
    }

    /// Where to head from a place.
    package func waypoint(
        from place: [Double], along route: MazeRoute, using generator: inout PCG64
    ) -> [Double] {
        let cell = map.position(x: place[0], y: place[1], cellSize: cellSize)
        guard let next = route.nextCell(from: cell) else { return route.goal }
        let center = map.center(of: cell, cellSize: cellSize)
        let beside =
            next.row == cell.row ? place[1] - center.y : place[0] - center.x
        if abs(beside) > Self.reach { return [center.x, center.y] }
        if route.nextCell(from: next) == nil { return route.goal }
        let middle = map.center(of: next, cellSize: cellSize)
        return [
            middle.x + generator.uniform(0, cellSize / 4),
            middle.y + generator.uniform(0, cellSize / 4),
        ]
    }

    /// The action for what the maze lets observe: 15 positions, 14 velocities.
    package func action(
        for observation: [Double], along route: MazeRoute, using generator: inout PCG64
    ) -> [Double] {
        let waypoint = waypoint(from: observation, along: route, using: &generator)
        let way = [waypoint[0] - observation[0], waypoint[1] - observation[1]]
        let distance = hypot(way[0], way[1])
        // Far enough that the walker sees the direction alone.
        let scale = distance > 0 ? max(1, AntGoalEnvironment.sight / distance) : 1
        let seen = AntGoalEnvironment.observation(
            positions: Array(observation.prefix(D4RLAnt.positionCount)),
            velocities: Array(observation.dropFirst(D4RLAnt.positionCount)),
            goal: [observation[0] + scale * way[0], observation[1] + scale * way[1]])
        return walker.action(for: seen, using: &generator).map {
            min(max($0 + noise * generator.normal(), -1), 1)
        }
    }
}
