import ArgumentParser
import Foundation
import Jobs

/// `trajectory dataset merge`: several datasets as one.
struct DatasetMergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join datasets of one environment.",
        discussion: """
            Episodes keep their order. The datasets may be of different formats; that of the \
            output follows from its name (.hdf5, .npz, else a Minari folder). 'train', \
            'train-policy', 'train-critic' and 'train-dynamics' also take several --dataset.

            Examples:
              trajectory dataset merge medium.hdf5 expert.hdf5 --output medium-expert.hdf5
              trajectory dataset merge D4RL/door/human-v2 mine.npz --output both.npz

            Keys of the JSON object: as 'dataset convert'.
            """)

    @Argument(help: "Two datasets or more: files, folders or Minari names.", completion: .file())
    var inputs: [String]

    @Option(help: "The file or folder to write.", completion: .file())
    var output: String

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard inputs.count > 1 else { throw ValidationError("give two datasets or more") }
    }

    func run() async throws {
        var job = ConversionJob(
            from: URL(fileURLWithPath: inputs[0]), to: URL(fileURLWithPath: output))
        job.reading = reading.options(joining: inputs)
        let result = try job.run(note: Console.progress)
        try Console.report(result, json: json, text: result.line)
    }
}
