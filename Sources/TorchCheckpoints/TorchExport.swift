public import Files
public import Foundation
public import PythonFiles
import Safetensors
public import Tokenization
import Trajectories
public import Transformer

/// A checkpoint of ours as the authors' code loads it.
///
/// `state_N.pt` has the tensors with the masks that `load_state_dict` asks for, `model_config.pkl`
/// the model's settings. Their code fits the bins anew from D4RL's data, which `data_config.pkl`
/// names.
public struct TorchExport: Sendable {
    /// The model.
    public let model: TrajectoryTransformer
    /// How tokens were made.
    public let tokenization: TokenizedDataset.Settings
    /// The number in the state's name, by which their code chooses one.
    public let epoch: Int

    /// What to write of a checkpoint.
    ///
    /// - Throws: `PythonFileError` when their code has no such model.
    public init(_ checkpoint: Checkpoint, epoch: Int, file: String) throws(PythonFileError) {
        let configuration = checkpoint.model.configuration
        guard configuration.goalDimension == 0 else {
            throw PythonFileError(
                .foreign, file: file,
                "its model takes goals, and the authors' goes about them differently; only models "
                    + "without are written")
        }
        model = checkpoint.model
        tokenization = checkpoint.description.tokenization
        self.epoch = epoch
    }

    /// Writes the files into `folder`, which is there.
    ///
    /// - Parameters:
    ///   - folder: Where they go.
    ///   - dataset: D4RL's name of the data; without one there is no `data_config.pkl`.
    /// - Throws: `FileError` when one cannot be written.
    public func write(to folder: URL, dataset: String?) throws(FileError) {
        let state = try PendingFile(for: folder.appendingPathComponent("state_\(epoch).pt"))
        try TorchFile.write(tensors, to: state)
        try state.commit()
        try OutputFile.write(
            Data(modelSettings.pickled), to: folder.appendingPathComponent("model_config.pkl"))
        guard let dataset else { return }
        try OutputFile.write(
            Data(dataSettings(dataset).pickled),
            to: folder.appendingPathComponent("data_config.pkl"))
    }

    /// The parameters, and for each block the mask that their attention keeps.
    private var tensors: [TorchContent] {
        let configuration = model.configuration
        let length = configuration.contextLength
        let named = model.tensors()
        var result: [TorchContent] = []
        for name in named.tensors.keys.sorted() {
            guard let values = try? named.floats(name), let shape = try? named.shape(of: name)
            else { preconditionFailure("a model has no tensor '\(name)', which it named") }
            result.append(TorchContent(name, shape: shape, values: values))
        }
        // What a row attends to: itself and what is before it, less values.
        let width = configuration.layout.transitionDimension
        var mask = [Float](repeating: 0, count: length * length)
        for row in 0..<length {
            for column in 0...row where column % width != width - 1 {
                mask[row * length + column] = 1
            }
        }
        for block in 0..<configuration.layerCount {
            // One storage is enough for all.
            result.append(
                TorchContent(
                    "blocks.\(block).attn.mask", shape: [1, 1, length, length],
                    values: block == 0 ? mask : nil))
        }
        return result
    }

    private var modelSettings: PickleContent {
        let configuration = model.configuration
        let layout = configuration.layout
        return Self.settings(
            of: PickleName("trajectory.models.transformers", "GPT"),
            [
                ("vocab_size", .integer(configuration.binCount)),
                ("block_size", .integer(configuration.contextLength)),
                ("n_layer", .integer(configuration.layerCount)),
                ("n_head", .integer(configuration.headCount)),
                ("n_embd", .integer(configuration.embeddingWidth)),
                ("observation_dim", .integer(layout.observationDimension)),
                ("action_dim", .integer(layout.actionDimension)),
                ("transition_dim", .integer(layout.transitionDimension)),
                ("action_weight", .number(Double(configuration.actionWeight))),
                ("reward_weight", .number(Double(configuration.rewardWeight))),
                ("value_weight", .number(Double(configuration.valueWeight))),
                ("embd_pdrop", .number(Self.decimal(configuration.embeddingDropout))),
                ("resid_pdrop", .number(Self.decimal(configuration.residualDropout))),
                ("attn_pdrop", .number(Self.decimal(configuration.attentionDropout))),
            ])
    }

    private func dataSettings(_ dataset: String) -> PickleContent {
        let penalty: PickleContent =
            if case .number(let number) = tokenization.terminationPenalty {
                .number(number)
            } else {
                .none
            }
        return Self.settings(
            of: PickleName("trajectory.datasets.sequence", "DiscretizedDataset"),
            [
                ("env", .text(dataset)), ("N", .integer(tokenization.binCount)),
                ("penalty", penalty),
                ("sequence_length", .integer(tokenization.windowLength)), ("step", .integer(1)),
                ("discount", .number(tokenization.discount)),
                ("discretizer", .text("QuantileDiscretizer")),
            ])
    }

    /// The double that reads like the number.
    private static func decimal(_ number: Float) -> Double { Double("\(number)") ?? Double(number) }

    /// An object of their class of settings.
    private static func settings(
        of name: PickleName, _ entries: [(key: String, value: PickleContent)]
    ) -> PickleContent {
        .object(
            PickleName("trajectory.utils.config", "Config"),
            [("_class", .name(name)), ("_dict", .dictionary(entries))])
    }
}
