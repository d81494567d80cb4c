import CUDA
import Foundation
import Safetensors
import Trajectories
import Transformer
import TransformerCUDA

extension Checks {
    /// The recorded results of the authors' code.
    mutating func checkGolden(_ device: Device, folder: String) {
        for (name, sequences) in [("model_tiny", 4), ("model_mid", 2)] {
            run("golden logits, \(name)") {
                let model = try GoldenFiles(folder: folder).model(name)
                let file = try SafetensorsFile(
                    contentsOf: URL(fileURLWithPath: "\(folder)/\(name)_io.safetensors"))
                let tokens = try file.integers("tokens")
                let length = tokens.count / sequences
                let key = name == "model_tiny" ? "logits" : "logits_last5"
                let expected = try file.floats(key)
                let shown = expected.count / sequences / model.configuration.vocabularySize
                let decoder = try CUDAPrefixDecoder(model, on: device, precision: .exact)
                // All sequences as one tree, in one call.
                let nodes = tokens.indices.map {
                    PrefixNode(
                        parent: $0 % length == 0 ? .root : .node($0 - 1), token: tokens[$0],
                        needsOutput: $0 % length >= length - shown)
                }
                _ = try decoder.extend(nodes)
                let actual = nodes.indices.filter { nodes[$0].needsOutput }.flatMap {
                    decoder.logits(of: $0)
                }
                let error = Self.relativeError(actual, expected)
                try Self.require(error, below: 2e-5, "logits differ from the authors' code")
                return "error \(error.scientific)"
            }
        }
    }
}

/// The golden data's models.
struct GoldenFiles {
    let folder: String

    private struct File: Decodable {
        struct Config: Decodable {
            let observationDim, actionDim, vocabSize, nLayer, nHead, nEmbd: Int
            let blockSize: Int
            let actionWeight, rewardWeight, valueWeight: Float
        }
        let config: Config
    }

    /// The configuration of a recorded model, without dropout.
    func configuration(_ name: String) throws -> TransformerConfiguration {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).json"))
        let config = try decoder.decode(File.self, from: data).config
        var result = TransformerConfiguration(
            layout: TransitionLayout(
                observationDimension: config.observationDim, actionDimension: config.actionDim))
        result.binCount = config.vocabSize
        result.layerCount = config.nLayer
        result.headCount = config.nHead
        result.embeddingWidth = config.nEmbd
        result.contextLength = config.blockSize
        result.actionWeight = config.actionWeight
        result.rewardWeight = config.rewardWeight
        result.valueWeight = config.valueWeight
        result.embeddingDropout = 0
        result.attentionDropout = 0
        result.residualDropout = 0
        return result
    }

    /// A recorded model.
    func model(_ name: String) throws -> TrajectoryTransformer {
        try TrajectoryTransformer(
            configuration(name),
            tensors: SafetensorsFile(
                contentsOf: URL(fileURLWithPath: "\(folder)/\(name).safetensors")))
    }
}
