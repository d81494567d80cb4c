import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Rendering
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// `trajectory attention`: pictures of where a model looks.
struct AttentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention",
        abstract: "Draw a model's attention over a window of data, or averaged over many.",
        discussion: """
            One heat map for each layer and head: across the token that is looked at, upwards the token \
            that looks, to predict the next one. A table says what each head spends on the present and \
            the last transition (all of it: Markovian) and, where it predicts an action, on the actions \
            of earlier transitions (which smooths them).

            Examples:
              trajectory attention --checkpoint runs/hopper --dataset hopper.hdf5 --output attention.png
              trajectory attention --checkpoint runs/hopper --dataset hopper.hdf5 --episode 3 --row 100 \
            --output one-step.png --json

            Keys of the JSON object: output, windows, tokens, heads (name, layer, head, recent, past_actions).
            """)

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(help: "The trajectories to look at: an HDF5 file or a Minari folder.")
    var dataset: String

    @Option(help: "Picture to draw (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String

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
        guard windows > 0 else {
            throw ValidationError("--windows must be positive, found \(windows)")
        }
    }

    private struct Result: Encodable {
        struct Head: Encodable {
            let name: String
            let layer, head: Int
            let recent, pastActions: Double

            enum CodingKeys: String, CodingKey {
                case name, layer, head, recent
                case pastActions = "past_actions"
            }
        }
        let output: String
        let windows, tokens: Int
        let heads: [Head]
    }

    func run() async throws {
        let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
        let data = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: dataset), options: reading.options(for: trained))
        data.notes.forEach(Console.progress)
        let chosen = try chooseWindows(data, trained)
        let pattern = try AttentionPattern(trained.model, windows: chosen)
        try draw(pattern, count: chosen.count, trained)
        let result = Result(
            output: output, windows: chosen.count, tokens: chosen[0].count,
            heads: pattern.shares.map {
                .init(
                    name: Self.name(layer: $0.layer, head: $0.head), layer: $0.layer,
                    head: $0.head, recent: $0.recent, pastActions: $0.pastActions)
            })
        if json { return try Console.printJSON(result) }
        let header = [
            "layer", "head", "on the last two transitions", "on past actions, to predict actions",
        ]
        let rows = result.heads.map { head in
            ["\(head.layer + 1)", "\(head.head + 1)"]
                + [head.recent, head.pastActions].map { String(format: "%.0f %%", 100 * $0) }
        }
        print(TextTable.aligned([header] + rows))
    }

    /// The tokens of the windows to look at, all as long as the model's context.
    private func chooseWindows(_ data: TrajectoryDataset, _ trained: Checkpoint) throws -> [[Int]] {
        let configuration = trained.model.configuration
        try trained.requireLayout(
            of: data, file: dataset, named: checkpoint)
        guard trained.goalColumns.isEmpty else {
            throw CommandError(
                description: "cannot look at '\(dataset)' with '\(checkpoint)': the model was "
                    + "trained with --goal-columns, and a window of data has no goal; give a model "
                    + "without")
        }
        let rows = (configuration.contextLength + 1) / configuration.layout.transitionDimension
        func window(_ trajectory: Trajectory, from row: Int) throws -> [Int] {
            let values = returnsToGo(
                rewards: trajectory.rewards.map(Double.init),
                discount: trained.description.tokenization.discount)
            let tokens = try (row..<(row + rows)).flatMap { row in
                try trained.discretizer.encode(
                    (trajectory.observation(row) + trajectory.action(row)).map(Double.init)
                        + [Double(trajectory.rewards[row]), values[row]])
            }
            return Array(tokens.prefix(configuration.contextLength))
        }
        if let episode {
            guard data.trajectories.indices.contains(episode) else {
                throw CommandError(
                    description: "cannot look at episode \(episode) of '\(dataset)': it has "
                        + "episodes 0 to \(data.trajectories.count - 1)")
            }
            let trajectory = data.trajectories[episode]
            guard 0 <= row, row + rows <= trajectory.count else {
                throw CommandError(
                    description: "cannot look at row \(row) of episode \(episode) of '\(dataset)': "
                        + "a window of \(rows) rows does not fit into \(trajectory.count)")
            }
            return [try window(trajectory, from: row)]
        }
        let starts = data.trajectories.indices.flatMap { episode in
            stride(from: 0, through: data.trajectories[episode].count - rows, by: rows).map {
                (episode, $0)
            }
        }
        guard !starts.isEmpty else {
            throw CommandError(
                description:
                    "cannot look at '\(dataset)': no episode has the \(rows) rows of a window")
        }
        let count = min(windows, starts.count)
        return try (0..<count).map { index in
            let (episode, row) = starts[index * starts.count / count]
            return try window(data.trajectories[episode], from: row)
        }
    }

    /// What a head is called, layers and heads counted from 1.
    private static func name(layer: Int, head: Int) -> String {
        "layer \(layer + 1), head \(head + 1)"
    }

    private func draw(_ pattern: AttentionPattern, count: Int, _ trained: Checkpoint) throws {
        let rows = pattern.weights.enumerated().map { layer, heads in
            PlotGrid.Row(
                heads.enumerated().map { head, map in
                    // The square root, since weights over many tokens are small.
                    let columns = map.indices.map { key in
                        map.map { Double($0[key]).squareRoot() }
                    }
                    return PlotGrid.Panel(
                        Self.name(layer: layer, head: head),
                        content: .heatMap(columns: columns, range: 0...Double(map.count)))
                }, columns: max(4, heads.count), height: 310)
        }
        let transition = trained.model.configuration.layout.transitionDimension
        try PlotGrid(
            title: "Attention"
                + (count == 1 ? " over one window" : ", mean of \(count) windows"),
            subtitle: "across: token looked at; upwards: token that looks; "
                + "\(transition) tokens a transition; darkness is the root of the weight",
            rows: rows
        ).write(to: URL(fileURLWithPath: output))
    }
}
