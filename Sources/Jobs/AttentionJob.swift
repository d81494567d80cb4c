import Bounds
public import Datasets
import Evaluation
import Figures
public import Foundation
import Rendering
package import Tokenization
package import Trajectories
import Transformer
import TransformerCPU

/// Draws a model's attention over a window of data, or averaged over many.
public struct AttentionJob: Sendable {
    /// What was drawn, and what each head looks at.
    public struct Result: Sendable, Codable {
        /// A head of a layer.
        public struct Head: Sendable, Codable {
            /// Such as `layer 1, head 2`; what all are to be compared with is `even`.
            public var name: String
            /// Layer and head, from 0; nil for what no head is.
            public var layer, head: Int?
            /// What it spends on the present and the last transition: 1 is Markovian; of what it
            /// spends to predict actions, the share on earlier actions; of what it spends to predict
            /// observations and actions, the share on the same dimension of earlier transitions.
            public var recent, pastActions, sameDimension: Double
        }
        /// The picture.
        public var output: String
        /// Windows that were averaged, and tokens of each.
        public var windows, tokens: Int
        /// All heads, and last what attention would be that looks at everything alike.
        public var heads: [Head]
    }

    /// The folder of the trained model.
    public var checkpoint: URL
    /// The data.
    public var dataset: URL
    /// The picture (png or svg).
    public var output: URL
    /// Windows to average, spread evenly over the data.
    public var windows = 32
    /// One window only, from a row of an episode on, both from 0.
    public var place: (episode: Int, row: Int)?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(checkpoint: URL, dataset: URL, output: URL) {
        self.checkpoint = checkpoint
        self.dataset = dataset
        self.output = output
    }

    /// Looks and draws; `note` is told what reading left out.
    ///
    /// - Throws: ``JobError``, and errors of reading and drawing.
    public func run(note: (String) -> Void = { _ in }) throws -> Result {
        try require(.episodes, ["windows": windows])
        try output.requireWritable()
        let trained = try Checkpoint(at: checkpoint)
        let data = try TrajectoryDataset(
            contentsOf: dataset, options: reading.fitting(trained))
        data.notes.forEach(note)
        try trained.requireLayout(of: data, file: dataset.given, named: checkpoint.given)
        guard !trained.takesPrefix else {
            throw JobError(
                .mismatch,
                "cannot look at '\(dataset.given)' with '\(checkpoint.given)': the model was "
                    + "trained to reach goals or under conditions, and a window of data has none; give "
                    + "a model without")
        }
        let configuration = trained.model.configuration
        let chosen = try chooseWindows(
            data.trajectories, length: configuration.contextLength,
            discretizer: trained.discretizer, settings: trained.description.tokenization,
            named: dataset.given)
        let pattern = try AttentionPattern(trained.model, windows: chosen)
        try PlotGrid.attention(
            pattern.weights, windows: chosen.count,
            transition: configuration.layout.transitionDimension
        ).write(to: output)
        func head(
            _ name: String, _ shares: AttentionPattern.Shares, layer: Int? = nil, head: Int? = nil
        ) -> Result.Head {
            .init(
                name: name, layer: layer, head: head, recent: shares.recent,
                pastActions: shares.pastActions, sameDimension: shares.sameDimension)
        }
        let heads = pattern.shares.enumerated().flatMap { layer, row in
            row.enumerated().map { index, shares in
                head(
                    PlotGrid.headName(layer: layer, head: index), shares, layer: layer, head: index)
            }
        }
        return Result(
            output: output.given, windows: chosen.count, tokens: chosen[0].count,
            heads: heads + [head("even", pattern.evenShares)])
    }

    /// The tokens of the windows to look at, each `length` of them, in data called `name`.
    package func chooseWindows(
        _ trajectories: [Trajectory], length: Int, discretizer: Discretizer,
        settings: TokenizedDataset.Settings, named name: String
    ) throws -> [[Int]] {
        let rows = (length + 1) / discretizer.dimension
        func window(_ episode: Int, from first: Int) throws -> [Int] {
            // Such as training has them, with the penalty in rewards and values.
            let numbers = TransitionRows(of: trajectories[episode], settings: settings)
            return Array(
                try (first..<(first + rows)).flatMap { try discretizer.encode(numbers[$0]) }
                    .prefix(length))
        }
        if let (episode, row) = place {
            guard trajectories.indices.contains(episode) else {
                throw JobError(
                    .noWindow,
                    "cannot look at episode \(episode) of '\(name)': it has episodes 0 to "
                        + "\(trajectories.count - 1)")
            }
            let count = trajectories[episode].count
            guard 0 <= row, row + rows <= count else {
                throw JobError(
                    .noWindow,
                    "cannot look at row \(row) of episode \(episode) of '\(name)': a "
                        + "window of \(rows) rows does not fit into \(count)")
            }
            return [try window(episode, from: row)]
        }
        let starts = trajectories.indices.flatMap { episode in
            stride(from: 0, through: trajectories[episode].count - rows, by: rows).map {
                (episode, $0)
            }
        }
        guard !starts.isEmpty else {
            throw JobError(
                .unsuitableData,
                "cannot look at '\(name)': no episode has the \(rows) rows of a window")
        }
        let count = min(windows, starts.count)
        return try (0..<count).map { index in
            let (episode, row) = starts[index * starts.count / count]
            return try window(episode, from: row)
        }
    }
}
