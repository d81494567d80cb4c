import CUDA
import Foundation
import Planning
import Safetensors
import Tokenization
import Trajectories
import Transformer
import TransformerCUDA

extension Checks {
    /// The recorded results of the authors' code.
    mutating func checkGolden(_ device: Device, _ files: GoldenFiles) {
        for (name, sequences) in [("model_tiny", 4), ("model_mid", 2)] {
            run("golden logits, \(name)") {
                let model = try files.model(name)
                let file = try files.tensors("\(name)_io")
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
        checkGoldenPlans(device, files)
    }

    /// The recorded plans, with tokens drawn on the host and on the card.
    private mutating func checkGoldenPlans(_ device: Device, _ files: GoldenFiles) {
        for name in ["a", "b", "c", "d"] {
            run("golden plan \(name)") {
                let decoder = try CUDAPrefixDecoder(
                    files.model("model_tiny"), on: device, precision: .exact)
                let planner = try BeamPlanner(
                    model: decoder, discretizer: files.discretizer(),
                    options: files.options(ofPlan: name))
                let file = try files.tensors("beam_plan_\(name)")
                let numbers = try file.floats("uniforms").map(Double.init)
                let context = try file.integers("context")
                var uniforms = RecordedUniforms(numbers)
                var trace: BeamTrace? = BeamTrace()
                let hosted = try planner.plan(context: context, uniforms: &uniforms, trace: &trace)
                let draws = try file.integers("draws")
                guard trace?.draws == draws else {
                    throw Failure(description: "draws differ from the authors' code")
                }
                uniforms = RecordedUniforms(numbers)
                let drawn = try planner.plan(context: context, uniforms: &uniforms)
                let best = try file.integers("best_sequence")
                guard hosted.tokens.flatMap(\.self) == best,
                    drawn.tokens.flatMap(\.self) == best
                else {
                    throw Failure(description: "the plan differs from the authors' code")
                }
                return "\(draws.count) draws and the plan, token for token"
            }
        }
    }
}

/// The golden data's models.
struct GoldenFiles {
    /// Where they lie; the first folder that has a file gives it.
    let folders: [String]

    private func url(_ file: String) throws -> URL {
        let urls = folders.map { URL(fileURLWithPath: $0).appendingPathComponent(file) }
        guard let url = urls.first(where: { FileManager.default.fileExists(atPath: $0.path) })
        else {
            throw Checks.Failure(
                description: "no \(file) in \(folders.joined(separator: ", "))")
        }
        return url
    }

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
        let data = try Data(contentsOf: url("\(name).json"))
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

    /// The settings of a recorded plan.
    func options(ofPlan name: String) throws -> PlannerOptions {
        let data = try Data(contentsOf: url("beam_plan.json"))
        guard
            let plans = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let cases = plans["cases"] as? [String: [String: Any]], let settings = cases[name],
            let horizon = settings["n_steps"] as? Int,
            let width = settings["beam_width"] as? Int,
            let factor = settings["n_expand"] as? Int,
            let transitions = settings["max_context_transitions"] as? Int
        else {
            throw Checks.Failure(description: "beam_plan.json has no settings of plan \(name)")
        }
        var options = PlannerOptions()
        options.horizon = horizon
        options.beamWidth = width
        options.expansionFactor = factor
        options.contextTransitions = transitions
        options.observationTopK = settings["k_obs"] as? Int
        options.actionTopK = settings["k_act"] as? Int
        options.rewardTopK = settings["k_rew"] as? Int
        options.observationCDF = settings["cdf_obs"] as? Double
        options.actionCDF = settings["cdf_act"] as? Double
        options.rewardCDF = settings["cdf_rew"] as? Double
        options.readout =
            (settings["percentile"] as? Double).map { .percentile($0, .authors) } ?? .mean
        options.cdfRule = .authors
        return options
    }

    /// The discretizer of the recorded plans.
    func discretizer() throws -> Discretizer {
        try Discretizer(
            strategy: .quantile, edges: tensors("beam_plan_discretizer").doubles("thresholds"),
            dimension: 7, binCount: 10)
    }

    /// A file of recorded tensors.
    func tensors(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(contentsOf: url("\(name).safetensors"))
    }

    /// A recorded model.
    func model(_ name: String) throws -> TrajectoryTransformer {
        try TrajectoryTransformer(
            configuration(name),
            tensors: tensors(name))
    }
}
