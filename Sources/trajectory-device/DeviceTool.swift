import ArgumentParser
import Release

/// `trajectory-device`: what a machine with a card and a driver can do without anything else.
@main
struct DeviceTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trajectory-device",
        abstract: "Check, time and use the Trajectory Transformer on an NVIDIA card.",
        discussion: """
            Needs a driver and NVIDIA's run-time compiler, libnvrtc, which PyTorch's packages \
            hold; nothing else.
            """,
        version: Release.version,
        subcommands: [CheckCommand.self, BenchmarkCommand.self, TrainCommand.self])
}
