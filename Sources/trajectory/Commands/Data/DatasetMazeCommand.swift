import ArgumentParser
import Bounds
import Files
import Foundation
import Jobs

/// `trajectory dataset maze`: trajectories in a maze, from above.
struct DatasetMazeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maze",
        abstract: "Draw trajectories of a point in a maze, from above.",
        discussion: """
            The maze is the one that the file names, or --env. Starts are marked, and the goal \
            where the environment has one that never changes (maze2d).

            Examples:
              trajectory dataset maze maze2d-large.hdf5 --output maze.png
              trajectory dataset maze rooms.hdf5 --episodes 5 --by-episode --output maze.svg
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @OptionGroup var picture: ChartOutput

    @OptionGroup var environment: EnvironmentOption

    @Option(help: "Episodes to draw, spread evenly over the file.")
    var episodes = 20

    @Flag(help: "Colour each episode differently, instead of by time.")
    var byEpisode = false

    @OptionGroup var reading: DatasetReadingOptions

    func validate() throws {
        try require(.episodes, ["--episodes": episodes])
    }

    func run() async throws {
        var job = MazePictureJob(URL(fileURLWithPath: file), output: picture.url)
        job.environment = environment.name
        job.episodes = episodes
        job.colorsEpisodes = byEpisode
        job.reading = reading.options
        try OutputFile.print("\(picture.output): \(job.run())")
    }
}
