import Environments
import Episodes
import RandomNumbers
import Trajectories

/// Logs how a ``MazeNavigator`` roams a maze: towards one random goal after the other, until the
/// time limit ends the episode; or towards one goal an episode, which ends there.
///
/// Where the maze's goal is fixed (maze2d), rewards are paid for passing it, whatever the navigator
/// is up to, as in D4RL; else the navigator's goal is the maze's. Episode `i` depends on the seed
/// and `i` alone.
struct NavigationCollector: Sendable {
    let workers: EpisodeWorkers
    let seed: UInt64
    /// Whether an episode ends at its first goal.
    var untilGoal = false
    /// Whether to run no further episode.
    var isStopped: @Sendable () -> Bool = { false }

    /// Logs episodes from `first` on.
    func episodes(from first: Int, count: Int) async throws -> [Trajectory] {
        let (seed, untilGoal, isStopped) = (seed, untilGoal, isStopped)
        return try await workers.mapTogether(count) { index, environment -> Trajectory? in
            if isStopped() { return nil }
            guard let maze = environment as? any MazeSimulation else {
                preconditionFailure("\(environment.specification.identifier) is no maze")
            }
            return Self.run(
                in: maze, seed: seed, episode: UInt64(first + index), untilGoal: untilGoal)
        }.beforeFirstNil
    }

    private static func run(
        in maze: some MazeSimulation, seed: UInt64, episode: UInt64, untilGoal: Bool
    ) -> Trajectory {
        var generator = PCG64(seed: seed, episode)
        let navigator = MazeNavigator(maze)
        let start = maze.reset(seed: generator.next())
        let isGoalFixed = maze.rules.goalCell != nil
        var route =
            isGoalFixed
            ? navigator.randomRoute(using: &generator) : navigator.route(to: maze.goal)
        return Trajectory(of: Episode(in: maze, from: start)) {
            navigator.action(for: $0, along: route, using: &generator)
        } arrive: { observation in
            guard navigator.isAtEnd(of: route, position: observation) else { return true }
            if untilGoal { return false }
            route = navigator.randomRoute(using: &generator)
            if !isGoalFixed { maze.goal = route.goal }
            return true
        }
    }
}
