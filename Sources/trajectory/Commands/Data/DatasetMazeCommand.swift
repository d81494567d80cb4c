import ArgumentParser
import Datasets
import Environments
import Foundation
import Rendering
import Trajectories

/// `trajectory dataset maze`: trajectories in a maze, from above.
struct DatasetMazeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maze",
        abstract: "Draw trajectories of a point in a maze, from above.",
        discussion: """
            The maze is the one that the file names, or --env. Starts are marked, and the goal where \
            the environment has one that never changes (maze2d).

            Examples:
              trajectory dataset maze maze2d-large.hdf5 --output maze.png
              trajectory dataset maze rooms.hdf5 --episodes 5 --by-episode --output maze.svg
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @Option(help: "Picture to draw (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String

    @Option(
        name: .customLong("env"),
        help: "Maze of the data, such as maze2d-large; the one that the file names if not given.")
    var environment: String?

    @Option(help: "Episodes to draw, spread evenly over the file.")
    var episodes = 20

    @Flag(help: "Colour each episode differently, instead of by time.")
    var byEpisode = false

    @OptionGroup var reading: DatasetReadingOptions

    func validate() throws {
        guard episodes > 0 else {
            throw ValidationError("--episodes must be positive, found \(episodes)")
        }
    }

    func run() async throws {
        let dataset = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: file), options: reading.options)
        let simulation = try DatasetEnvironment.make(environment, for: dataset, file: file)
        guard let maze = simulation as? any MazeSimulation,
            maze.observedState?.omittedPositions == 0
        else {
            throw CommandError(
                description:
                    "cannot draw '\(file)' as a maze: \(simulation.specification.identifier) "
                    + "is none whose observations say where the agent is; give data of maze2d or "
                    + "pointmaze")
        }
        let all = dataset.trajectories
        let count = min(episodes, all.count)
        let lines = (0..<count).map { index in
            let trajectory = all[index * all.count / count]
            return (0..<trajectory.count).map { row -> MazePlot.Point in
                let observation = trajectory.observation(row)
                let first = observation.startIndex
                return (Double(observation[first]), Double(observation[first + 1]))
            }
        }
        var plot = MazePlot(of: maze, trajectories: lines)
        plot.title = "\(simulation.specification.identifier), \(count) of \(all.count) episodes"
        plot.coloring = byEpisode ? .trajectory : .time
        plot.starts = lines.compactMap(\.first)
        if let goal = maze.rules.goalCell {
            plot.goals = [maze.map.centre(of: goal, cellSize: maze.cellSize)]
        }
        try plot.write(to: URL(fileURLWithPath: output))
        print("\(output): \(plot.title)")
    }
}

extension MazePlot {
    /// A plot of trajectories in a maze.
    init(of maze: some MazeSimulation, trajectories: [[Point]]) {
        self.init(
            map: maze.map.cells.map { String($0.map { $0 == .wall ? "1" : "0" }) },
            cellSize: maze.cellSize, trajectories: trajectories)
    }
}
