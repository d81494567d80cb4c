import ArgumentParser
import Foundation
import Jobs

/// `trajectory dataset split`: a dataset as two.
struct DatasetSplitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Divide the episodes of a dataset between two others.",
        discussion: """
            Which episodes are held out is drawn by --seed; both parts keep the order. Formats \
            follow from the names (.hdf5, .npz, else a Minari folder).

            Examples:
              trajectory dataset split medium.hdf5 --output train.hdf5 --held-out test.hdf5
              trajectory dataset split all.npz --output a.npz --held-out b.npz --fraction 0.5

            Keys of the JSON object: rest, held_out, each as 'dataset convert'.
            """)

    @Argument(help: "The dataset: a file, a folder or a Minari name.", completion: .file())
    var input: String

    @Option(help: "The file or folder for the rest.", completion: .file())
    var output: String

    @Option(help: "The file or folder for the episodes that are held out.", completion: .file())
    var heldOut: String

    @Option(help: "The share of the episodes that is held out, at least one.")
    var fraction = 0.1

    @Option(help: "Fixes which they are.")
    var seed: UInt64 = 0

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard fraction > 0, fraction < 1 else {
            throw ValidationError("--fraction must lie between 0 and 1, found \(fraction)")
        }
    }

    func run() async throws {
        var job = SplitJob(
            URL(fileURLWithPath: input), output: URL(fileURLWithPath: output),
            heldOut: URL(fileURLWithPath: heldOut))
        job.fraction = fraction
        job.seed = seed
        job.reading = reading.options
        let result = try job.run(note: Console.progress)
        try Console.report(
            result, json: json, text: result.rest.line + "\n" + result.heldOut.line)
    }
}
