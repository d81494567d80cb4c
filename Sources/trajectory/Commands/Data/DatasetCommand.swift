import ArgumentParser

/// Commands about dataset files.
struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Look into dataset files.",
        subcommands: [
            DatasetInfoCommand.self, DatasetPlotCommand.self, DatasetConvertCommand.self,
            DatasetTokenizeCommand.self, DatasetMazeCommand.self,
        ])
}
