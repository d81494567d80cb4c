import ArgumentParser

/// The root of the command line.
@main
struct TrajectoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory",
        abstract: "Offline reinforcement learning as one big sequence modelling problem.",
        version: "0.1.0",
        subcommands: [TrainBehaviorCommand.self])
}
