import ArgumentParser
import Bounds
import Datasets
import Foundation
import Jobs

/// `trajectory dataset filter`: some episodes of a dataset.
struct DatasetFilterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "filter",
        abstract: "Keep the episodes of a dataset with certain returns or lengths.",
        discussion: """
            All that is asked for must hold. --top-fraction takes the best of those that are left. \
            The output's format follows from its name (.hdf5, .npz, else a Minari folder).

            Examples:
              trajectory dataset filter medium.hdf5 best.hdf5 --top-fraction 0.1
              trajectory dataset filter maze.npz solved.npz --min-return 1 --max-length 300

            Keys of the JSON object: as 'dataset convert'.
            """)

    @Argument(help: "The dataset: a file, a folder or a Minari name.", completion: .file())
    var input: String

    @Argument(help: "The file or folder to write.", completion: .file())
    var output: String

    @Option(parsing: .unconditional, help: "Smallest return (undiscounted).")
    var minReturn: Double?

    @Option(parsing: .unconditional, help: "Largest return.")
    var maxReturn: Double?

    @Option(help: "Smallest number of steps.")
    var minLength: Int?

    @Option(help: "Largest number of steps.")
    var maxLength: Int?

    @Option(help: "Of these the share with the largest returns, in (0, 1].")
    var topFraction: Double?

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.steps, ["--min-length": minLength, "--max-length": maxLength])
        if let topFraction, !(topFraction > 0 && topFraction <= 1) {
            throw ValidationError("--top-fraction must lie in (0, 1], found \(topFraction)")
        }
        for (option, value) in [("--min-return", minReturn), ("--max-return", maxReturn)]
        where value?.isNaN == true {
            throw ValidationError("\(option) must be a number, found nan")
        }
        guard
            minReturn != nil || maxReturn != nil || minLength != nil || maxLength != nil
                || topFraction != nil
        else { throw ValidationError("say what to keep, such as --min-return 0") }
    }

    func run() async throws {
        var job = ConversionJob(
            from: URL(fileURLWithPath: input), to: URL(fileURLWithPath: output))
        job.reading = reading.options
        job.filter.minimumReturn = minReturn
        job.filter.maximumReturn = maxReturn
        job.filter.minimumLength = minLength
        job.filter.maximumLength = maxLength
        job.filter.topFraction = topFraction
        let result = try job.run(note: Console.progress)
        try Console.report(result, json: json, text: result.line)
    }
}
