import ArgumentParser
import Foundation
import Jobs

/// `trajectory dataset plot`: a dataset as a picture.
struct DatasetPlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw returns, lengths, token usage and every dimension of a dataset.",
        discussion: """
            Token usage is that of the bins that training fits by default: pale, how many hold a \
            value; solid, how many evenly used ones would tell as much. Where a dataset has more \
            than 60 dimensions they are one heat map, each measured in its standard deviations. \
            Dashed lines are the limits of actions, where the environment is known.

            Examples:
              trajectory dataset plot hopper-medium-v2.hdf5 --output hopper.png
              trajectory dataset plot hopper-medium-v2.hdf5 --env hopper --output hopper.svg

            Keys of the JSON object: output, panels.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @OptionGroup var picture: ChartOutput

    @OptionGroup var environment: EnvironmentOption

    @OptionGroup var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() async throws {
        var inspection = InspectionJob(URL(fileURLWithPath: file), environment: environment.name)
        inspection.reading = reading.options
        let result = try DatasetPictureJob(inspection, output: picture.url).run()
        try Console.report(
            result, json: json, text: "\(picture.output): \(result.panels) charts")
    }
}
