import ArgumentParser

/// Commands about dataset files.
struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Look into dataset files, convert, join and divide them.",
        subcommands: [
            DatasetInfoCommand.self, DatasetPlotCommand.self, DatasetConvertCommand.self,
            DatasetMergeCommand.self, DatasetFilterCommand.self, DatasetSplitCommand.self,
            DatasetTokenizeCommand.self, DatasetMazeCommand.self,
        ])
}
