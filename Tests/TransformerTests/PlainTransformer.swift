import Foundation
import Tokenization
import Trajectories
import Transformer

/// The loss of a batch with dropout as decision 0004 reads: double precision, element by element,
/// each with its number, nothing shared with any engine but the model's values.
struct PlainTransformer {
    /// Which elements one place in the network drops.
    struct Mask {
        let key0, key1, threshold: UInt32
        let scale: Double

        /// The place `place` of the step that `stream` names.
        init(probability: Float, stream: UInt64, place: UInt64) {
            let keys = Self.splitMix(Self.splitMix(stream) &+ place)
            key0 = UInt32(truncatingIfNeeded: keys)
            key1 = UInt32(truncatingIfNeeded: keys >> 32)
            threshold = UInt32(Double(probability) * 4_294_967_296)
            scale = 1 / (1 - Double(probability))
        }

        /// What the element of this number is multiplied by.
        func factor(_ element: Int) -> Double {
            var x = UInt32(truncatingIfNeeded: element) &* 0x9E37_79B9 ^ key0
            x ^= x >> 16
            x = x &* 0x7FEB_352D
            x ^= (x >> 15) ^ key1
            x = x &* 0x846C_A68B
            x ^= x >> 16
            return x < threshold ? 0 : scale
        }

        /// The first number of SplitMix64.
        private static func splitMix(_ seed: UInt64) -> UInt64 {
            var z = seed &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    let model: TrajectoryTransformer
    let stream: UInt64
    private let weights: [String: [Double]]
    private var shape: TransformerConfiguration { model.configuration }
    private var width: Int { shape.embeddingWidth }
    private var transition: Int { shape.layout.transitionDimension }

    init(_ model: TrajectoryTransformer, stream: UInt64) {
        self.model = model
        self.stream = stream
        weights = model.parameterNames.reduce(into: [:]) { weights, name in
            weights[name] = model.parameter(named: name)?.values.map(Double.init)
        }
    }

    /// The loss of all rows of the batch, which are its share of the global one.
    func loss(_ batch: TokenBatch) -> Double {
        let rows = (0..<batch.rows).reduce(0.0) { $0 + loss(batch, row: $1) }
        return rows / Double(batch.totalRows * batch.length)
    }

    private func mask(_ probability: Float, _ place: Int) -> Mask {
        Mask(probability: probability, stream: stream, place: UInt64(place))
    }

    private func loss(_ batch: TokenBatch, row: Int) -> Double {
        let number = batch.firstRow + row
        let goal = shape.goalDimension
        let tokens = goal + batch.length
        // Rows count over the global batch, goal tokens among them.
        let firstRow = number * tokens
        let embedding = mask(shape.embeddingDropout, 0)
        var x = (0..<tokens).map { index -> [Double] in
            let values: [Double]
            if index < goal {
                let token = Int(batch.goals[row * goal + index])
                values = slice("goal_emb.weight", token + index * shape.binCount)
            } else {
                let position = index - goal
                let token = Int(batch.inputs[row * batch.length + position])
                let bins = shape.binCount
                let entry =
                    token == bins ? bins * transition : token + position % transition * bins
                values = add(slice("tok_emb.weight", entry), slice("pos_emb", position))
            }
            return dropped(values, embedding, row: firstRow + index)
        }
        for layer in 0..<shape.layerCount {
            let name = "blocks.\(layer)."
            let first = mask(shape.residualDropout, 3 * layer + 2)
            let second = mask(shape.residualDropout, 3 * layer + 3)
            let attended = attention(
                x.map { norm($0, name + "ln1") }, name + "attn.", sequence: number,
                mask(shape.attentionDropout, 3 * layer + 1))
            for index in x.indices {
                x[index] = add(x[index], dropped(attended[index], first, row: firstRow + index))
                let hidden = linear(norm(x[index], name + "ln2"), name + "mlp.0")
                let branch = linear(
                    hidden.map { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 }, name + "mlp.2")
                x[index] = add(x[index], dropped(branch, second, row: firstRow + index))
            }
        }
        return (0..<batch.length).reduce(0.0) { sum, position in
            guard batch.mask[row * batch.length + position] == 1 else { return sum }
            let z = norm(x[goal + position], "ln_f")
            let head = position % transition
            let logits = (0..<shape.vocabularySize).map {
                dot(slice("head.weight", head * shape.vocabularySize + $0), z)
            }
            let target = Int(batch.targets[row * batch.length + position])
            let entropy = log(logits.reduce(0) { $0 + exp($1) }) - logits[target]
            let weight: Float =
                switch shape.layout.kind(at: position + 1) {
                case .observation: 1
                case .action: shape.actionWeight
                case .reward: shape.rewardWeight
                case .value: shape.valueWeight
                }
            return sum + Double(weight) * entropy
        }
    }

    private func attention(
        _ x: [[Double]], _ name: String, sequence: Int, _ mask: Mask
    ) -> [[Double]] {
        let goal = shape.goalDimension
        /// Of the longest sequence, visible or not.
        let length = goal + shape.contextLength
        func isVisible(_ key: Int) -> Bool {
            key < goal || (key - goal) % transition != shape.layout.valueIndex
        }
        // Visible keys of the longest sequence, rounded up to a multiple of 32.
        let stride = ((0..<length).count(where: isVisible) + 31) / 32 * 32
        let query = x.map { linear($0, name + "query") }
        let key = x.map { linear($0, name + "key") }
        let value = x.map { linear($0, name + "value") }
        let size = width / shape.headCount
        return x.indices.map { i in
            var mixed: [Double] = []
            let visible = (0...i).filter(isVisible)
            for head in 0..<shape.headCount {
                let part = (head * size)..<((head + 1) * size)
                let powers = visible.map {
                    exp(dot(query[i][part], key[$0][part]) / Double(size).squareRoot())
                }
                let sum = powers.reduce(0, +)
                let kept = powers.indices.map { place in
                    powers[place] / sum
                        * mask.factor(
                            ((sequence * shape.headCount + head) * length + i) * stride + place)
                }
                for channel in part {
                    mixed.append(
                        zip(kept, visible).reduce(0) { $0 + $1.0 * value[$1.1][channel] })
                }
            }
            return linear(mixed, name + "proj")
        }
    }

    private func dropped(_ numbers: [Double], _ mask: Mask, row: Int) -> [Double] {
        numbers.enumerated().map { $1 * mask.factor(row * width + $0) }
    }

    private func linear(_ x: [Double], _ name: String) -> [Double] {
        (weights[name + ".bias"] ?? []).enumerated().map {
            dot(slice(name + ".weight", $0, x.count), x[...]) + $1
        }
    }

    private func norm(_ x: [Double], _ name: String) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let scale = 1 / (variance + 1e-5).squareRoot()
        let (weight, bias) = (weights[name + ".weight"] ?? [], weights[name + ".bias"] ?? [])
        return x.indices.map { (x[$0] - mean) * scale * weight[$0] + bias[$0] }
    }

    private func slice(_ name: String, _ row: Int, _ width: Int? = nil) -> [Double] {
        let width = width ?? self.width
        return Array(weights[name]?[(row * width)..<((row + 1) * width)] ?? [])
    }

    private func dot(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func add(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
}
