import Foundation
import Safetensors
import TestSupport
import Tokenization
import Trajectories
import Transformer

/// The golden models of the fixtures, and batches from their tensors.
enum Golden {
    static let data = GoldenData(Bundle.module)

    static func configuration(_ name: String) throws -> TransformerConfiguration {
        struct File: Decodable {
            struct Config: Decodable {
                let observationDim, actionDim, vocabSize, nLayer, nHead, nEmbd: Int
                let blockSize: Int
                let actionWeight, rewardWeight, valueWeight: Float
            }
            let config: Config
        }
        let config = try data.json("\(name).json", as: File.self, snakeCase: true).config
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

    static func model(_ name: String) throws -> TrajectoryTransformer {
        try TrajectoryTransformer(configuration(name), tensors: data.tensors("\(name).safetensors"))
    }

    /// The goal-conditioned model, whose goals are whole observations.
    static func goalModel() throws -> TrajectoryTransformer {
        var configuration = try configuration("goal")
        configuration.goalDimension = configuration.layout.observationDimension
        let file = try data.tensors("goal.safetensors")
        var weights = SafetensorsFile()
        for name in file.tensors.keys where name.hasPrefix("weights.") {
            weights.set(
                String(name.dropFirst("weights.".count)), try file.floats(name),
                shape: try file.shape(of: name))
        }
        return try TrajectoryTransformer(configuration, tensors: weights)
    }

    /// The tensors `tokens`, `targets` and `mask`, and `goal` if there is one, as a batch; of three
    /// dimensions, slice `step`.
    static func batch(_ file: SafetensorsFile, step: Int? = nil) throws -> TokenBatch {
        let shape = try file.shape(of: "tokens").suffix(2)
        let goals = file.tensors["goal"] == nil ? [] : try file.integers("goal")
        var batch = TokenBatch(
            rows: shape[shape.startIndex], length: shape[shape.startIndex + 1],
            goalDimension: goals.count / shape[shape.startIndex])
        batch.goals = goals.map(Int32.init)
        let size = batch.rows * batch.length
        let range = ((step ?? 0) * size)..<(((step ?? 0) + 1) * size)
        batch.inputs = try file.integers("tokens")[range].map(Int32.init)
        batch.targets = try file.integers("targets")[range].map(Int32.init)
        batch.mask = try file.integers("mask")[range].map(UInt8.init)
        return batch
    }

    static func loss(_ name: String, key: String = "loss") throws -> Double {
        let json = try JSONSerialization.jsonObject(
            with: Data(contentsOf: data.url("\(name).json")))
        return (json as? [String: Any])?[key] as? Double ?? .nan
    }
}
