import CUDA
import RandomNumbers
import Safetensors
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

extension Checks {
    /// Random trees on the card and on the CPU.
    mutating func checkDecoder(_ device: Device, quick: Bool) {
        for precision in Precision.allCases {
            let tolerance = precision == .exact ? 2e-5 : 0.05
            for (name, model, batch) in Self.models(quick: quick) {
                run("decoder, \(precision.rawValue), \(name)") {
                    let decoder = try CUDAPrefixDecoder(model, on: device, precision: precision)
                    let error = try Self.largestError(
                        decoder, model, passes: quick ? 4 : 12, batch: batch)
                    try Self.require(error, below: tolerance, "logits differ from the CPU's")
                    return "largest error \(error.scientific)"
                }
            }
        }
    }

    private static func models(quick: Bool) -> [(String, TrajectoryTransformer, Int)] {
        var models = [
            ("small", TrajectoryTransformer(Self.small, seed: 1), 40),
            ("small with goals", TrajectoryTransformer(Self.smallWithGoals, seed: 2), 40),
        ]
        if !quick {
            for shape in DeviceShape.allCases {
                models.append(
                    (shape.rawValue, TrajectoryTransformer(shape.configuration, seed: 3), 400))
            }
        }
        return models
    }

    /// The largest relative error of any node's logits in a random tree, grown in random batches.
    private static func largestError(
        _ decoder: CUDAPrefixDecoder, _ model: TrajectoryTransformer, passes: Int, batch: Int
    ) throws -> Double {
        var generator = SplitMix64(seed: 7)
        func random(_ count: Int) -> Int { Int(generator.uniform() * Double(count)) }
        let reference = try CPUEngine().decoder(model)
        let goalLength = model.configuration.goalDimension
        let goals =
            goalLength == 0
            ? []
            : (0..<3).map { goal in
                (0..<goalLength).map { (goal * 3 + $0) % model.configuration.binCount }
            }
        try reference.begin(goals: goals)
        try decoder.begin(goals: goals)
        var lengths: [Int] = []
        var worst = 0.0
        for _ in 0..<passes {
            var nodes: [PrefixNode] = []
            let first = lengths.count
            for _ in 0..<batch {
                // Prefer recent parents, some of them of this very call.
                let recent = max(-1, lengths.count - 2 * batch)
                var parent = recent + random(lengths.count - recent)
                if parent >= 0 && lengths[parent] == model.configuration.contextLength {
                    parent = -1
                }
                lengths.append(parent < 0 ? 1 : lengths[parent] + 1)
                nodes.append(
                    PrefixNode(
                        parent: parent < 0 ? .goal(random(max(goals.count, 1))) : .node(parent),
                        token: random(decoder.vocabularySize), needsOutput: random(2) == 0))
            }
            _ = try decoder.extend(nodes)
            _ = try reference.extend(nodes)
            for (index, node) in nodes.enumerated() where node.needsOutput {
                worst = max(
                    worst,
                    relativeError(
                        decoder.logits(of: first + index), reference.logits(of: first + index)))
            }
        }
        return worst
    }
}
