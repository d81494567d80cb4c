import ArgumentParser
import Datasets
import Environments
import Foundation
import Rendering
import Tokenization
import Trajectories

/// `trajectory dataset plot`: a dataset as a picture.
struct DatasetPlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw returns, lengths, token usage and every dimension of a dataset.",
        discussion: """
            Token usage is that of the bins that training fits by default: pale, how many hold a \
            value; solid, how many evenly used ones would tell as much. Where a dataset has more \
            than 60 dimensions they are one heat map, each measured in its standard deviations. Dashed \
            lines are the limits of actions, where the environment is known.

            Examples:
              trajectory dataset plot hopper-medium-v2.hdf5 --output hopper.png
              trajectory dataset plot hopper-medium-v2.hdf5 --env hopper --output hopper.svg

            Keys of the JSON object: output, panels.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @Option(help: "Picture to write (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String

    @Option(
        name: .customLong("env"),
        help: "Environment of the data, such as hopper; the one that the file names if not given.")
    var environment: String?

    @OptionGroup var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard ["png", "svg"].contains(URL(fileURLWithPath: output).pathExtension.lowercased())
        else { throw ValidationError("--output must end in .png or .svg, found \(output)") }
    }

    private struct Result: Encodable {
        let output: String
        let panels: Int
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        try Console.requireFolder(of: url)
        let dataset = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: file), options: reading.options)
        let (specification, warning) = try DatasetEnvironment.specification(
            environment, for: dataset, file: file)
        let picture = DatasetPicture(
            dataset, report: DatasetReport(dataset, specification: specification, warning: warning),
            name: URL(fileURLWithPath: file).lastPathComponent)
        try picture.grid.write(to: url)
        let result = Result(
            output: output, panels: picture.grid.rows.reduce(0) { $0 + $1.panels.count })
        if json {
            try Console.printJSON(result)
        } else {
            print("\(output): \(result.panels) charts")
        }
    }
}
