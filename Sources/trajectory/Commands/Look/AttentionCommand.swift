import ArgumentParser
import Bounds
import Foundation
import Jobs
import Transformer

/// `trajectory attention`: pictures of where a model looks.
struct AttentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention",
        abstract: "Draw a model's attention over a window of data, or averaged over many.",
        discussion: """
            One heat map for each layer and head: across the token that is looked at, upwards the \
            token that looks, to predict the next one. A table says what each head spends on the \
            present and the last transition (all of it: Markovian) and, where it predicts an \
            action, on the actions of earlier transitions (which smooths them), and on the same \
            dimension of earlier transitions as it predicts; the last row is what attention would \
            spend that looks at everything alike.

            Examples:
              trajectory attention --checkpoint runs/hopper --dataset hopper.hdf5 --output \
            attention.png
              trajectory attention --checkpoint runs/hopper --dataset hopper.hdf5 --episode 3 \
            --row 100 --output one-step.png --json

            Keys of the JSON object: output, windows, tokens, heads (name, layer, head, recent, \
            past_actions, same_dimension), of which the last is even.
            """)

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(help: "The trajectories to look at: an HDF5 file or a Minari folder.")
    var dataset: String

    @OptionGroup var picture: ChartOutput

    @Option(help: "Windows to average, spread evenly over the data.")
    var windows = 32

    @Option(help: "Look at one window only: the episode it lies in, from 0.")
    var episode: Int?

    @Option(help: "The row of that episode where the window begins.")
    var row = 0

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.episodes, ["--windows": windows])
        try require(Bound.steps.orNone, ["--episode": episode, "--row": row])
        try GivenOptions.here.refuse(["--row"], unless: episode != nil, "is for --episode")
        try GivenOptions.here.refuse(
            ["--windows"], unless: episode == nil, "is for an average, not for --episode")
    }

    func run() async throws {
        var job = try AttentionJob(
            checkpoint: Checkpoint.url(named: checkpoint),
            dataset: URL(fileURLWithPath: dataset), output: picture.url)
        job.windows = windows
        job.place = episode.map { ($0, row) }
        job.reading = reading.options
        let result = try job.run(note: Console.progress)
        try Console.report(result, json: json, text: Self.table(result))
    }

    private static func table(_ result: AttentionJob.Result) -> String {
        let header = [
            "head", "on the last two transitions", "on past actions, to predict actions",
            "on the same dimension",
        ]
        let rows = result.heads.map { head in
            [head.name]
                + [head.recent, head.pastActions, head.sameDimension].map {
                    String(format: "%.0f %%", 100 * $0)
                }
        }
        return TextTable.aligned([header] + rows)
    }
}
