public import Datasets
public import Environments
import Episodes
public import Evaluation
import Trajectories

extension MazePlot {
    /// A plot of trajectories in a maze.
    public init(of maze: some MappedEnvironment, trajectories: [[Point]]) {
        self.init(map: maze.map, cellSize: maze.cellSize, trajectories: trajectories)
    }

    /// A plot of episodes in a maze until their goals were reached.
    ///
    /// - Parameters:
    ///   - rollouts: The episodes.
    ///   - maze: Where they were.
    ///   - coloring: A colour for each, with what was planned first below it; or all shaded from the
    ///     first step to the last, which shows by which ways many episodes go (Janner et al. 2021,
    ///     figure 6).
    public init(
        of rollouts: [Rollout], in maze: some MappedEnvironment, coloring: Coloring = .trajectory
    ) {
        func points(_ places: [[Double]]) -> [Point] { places.map { ($0[0], $0[1]) } }
        self.init(of: maze, trajectories: rollouts.map { points($0.path) })
        title = Self.title(of: rollouts, in: maze)
        self.coloring = coloring
        starts = rollouts.compactMap { points($0.places).first }
        goals = points(rollouts.compactMap(\.goal))
        guard coloring == .trajectory else { return }
        // A plan of one transition leads nowhere.
        plans = rollouts.map { $0.plannedPlaces.count > 1 ? points($0.plannedPlaces) : [] }
    }

    /// How many reached their goals, and where.
    static func title(of rollouts: [Rollout], in maze: some MappedEnvironment) -> String {
        let reached = rollouts.filter { $0.stepsToGoal != nil }.count
        // A map that is written out is drawn, and too long to be read.
        let identifier = maze.specification.identifier
        let name = identifier.contains(";") ? identifier.prefix { $0 != ":" } : identifier[...]
        return "\(name): \(reached) of \(rollouts.count) reached the goal"
    }

    /// A plot of a dataset's episodes in a maze, at most `count`, spread evenly over the data.
    ///
    /// Where an episode begins where the one before it reached a terminal state, as in D4RL's
    /// AntMaze at the goal, it is one line with that.
    ///
    /// Starts are marked, and the goal that rewards are given for where the data or the environment
    /// have one.
    ///
    /// - Throws: ``FigureError`` when the environment is no maze whose observations begin with
    ///   where the agent is.
    public init(
        of dataset: TrajectoryDataset, in environment: any SimulatedEnvironment,
        episodes limit: Int
    ) throws(FigureError) {
        let identifier = environment.specification.identifier
        guard let maze = environment as? any MazeSimulation,
            maze.observedState?.omittedPositions == 0
        else {
            throw FigureError(
                code: .noMaze, subject: "a maze",
                detail:
                    "\(identifier) is none whose observations say where the agent is; give data of "
                    + "maze2d or pointmaze")
        }
        let all = Self.walks(dataset.trajectories, cellSize: maze.cellSize)
        let count = min(limit, all.count)
        let lines = (0..<count).map { all[$0 * all.count / count] }
        self.init(of: maze, trajectories: lines)
        title = "\(identifier), \(count) of \(all.count) episodes"
        starts = lines.compactMap(\.first)
        let goal = (dataset.attributes["evaluation_goal"] ?? "").split(separator: " ")
            .compactMap { Double($0) }
        if goal.count == 2 {
            goals = [(goal[0], goal[1])]
        } else if let goal = maze.rules.goalCell {
            goals = [maze.map.center(of: goal, cellSize: maze.cellSize)]
        }
    }

    /// The places of each episode; of one that goes on from the last as one line.
    private static func walks(_ trajectories: [Trajectory], cellSize: Double) -> [[Point]] {
        var lines: [[Point]] = []
        var mayGoOn = false
        for trajectory in trajectories {
            let places = (0..<trajectory.count).map { row -> Point in
                let observation = trajectory.observation(row)
                let first = observation.startIndex
                return (Double(observation[first]), Double(observation[first + 1]))
            }
            if mayGoOn, let last = lines.last?.last, let next = places.first,
                abs(next.x - last.x) + abs(next.y - last.y) < cellSize / 8
            {
                lines[lines.count - 1] += places
            } else {
                lines.append(places)
            }
            mayGoOn = trajectory.ending == .terminal
        }
        return lines
    }
}
