import Foundation
import Planning
import Safetensors
import Trajectories
import Transformer

/// The model of the golden data written for reading, not for speed: double precision, whole
/// sequences, no cache.
///
/// Conforms to ``PrefixTreeModel`` by running the path from the root for every node that is read.
final class ReferenceTransformer: PrefixTreeModel {
    let layout: TransitionLayout
    let vocabularySize: Int
    let contextLength: Int
    private let layers: Int
    private let heads: Int
    private let width: Int
    private let weights: [String: [Double]]
    private var nodes: [PrefixNode] = []
    private var known: [Int: [Float]] = [:]

    init(_ file: SafetensorsFile, layout: TransitionLayout, layers: Int, heads: Int) throws {
        self.layout = layout
        self.layers = layers
        self.heads = heads
        let positions = try file.shape(of: "pos_emb")
        contextLength = positions[1]
        width = positions[2]
        vocabularySize = try file.shape(of: "head.weight")[1]
        weights = try file.tensors.keys.filter { !$0.hasSuffix("attn.mask") }
            .reduce(into: [:]) { $0[$1] = try file.floats($1).map(Double.init) }
    }

    // MARK: - The tree

    func removeAll() {
        nodes = []
        known = [:]
    }

    func extend(_ new: [PrefixNode]) -> Range<Int> {
        let first = nodes.count
        for node in new {
            precondition((0..<vocabularySize).contains(node.token), "no such token")
            nodes.append(node)
        }
        return first..<nodes.count
    }

    func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        let logits = logits(at: node)
        return try body(logits.span)
    }

    private func logits(at node: Int) -> [Float] {
        precondition(nodes[node].needsOutput, "node \(node) was added without output")
        if let known = known[node] { return known }
        var path = [nodes[node].token]
        var current = nodes[node].parent
        while case .node(let parent) = current {
            path.append(nodes[parent].token)
            current = nodes[parent].parent
        }
        let result = (forward(path.reversed()).last ?? []).map(Float.init)
        known[node] = result
        return result
    }

    // MARK: - The model

    /// Logits at every position of one sequence.
    func forward(_ tokens: [Int]) -> [[Double]] {
        precondition(tokens.count <= contextLength, "\(tokens.count) tokens for \(contextLength)")
        let transition = layout.transitionDimension
        let bins = vocabularySize - 1
        var x = tokens.enumerated().map { position, token in
            let dimension = position % transition
            let row = token == bins ? bins * transition : token + dimension * bins
            return zip(slice("tok_emb.weight", row, width), slice("pos_emb", position, width))
                .map { $0 + $1 }
        }
        for layer in 0..<layers {
            let block = "blocks.\(layer)."
            x = add(x, attention(x.map { norm($0, block + "ln1") }, block + "attn."))
            x = add(
                x,
                x.map { row in
                    let hidden = linear(norm(row, block + "ln2"), block + "mlp.0")
                    return linear(
                        hidden.map { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 }, block + "mlp.2")
                })
        }
        return x.enumerated().map { position, row in
            let z = norm(row, "ln_f")
            let dimension = position % transition
            return (0..<vocabularySize).map {
                dot(slice("head.weight", dimension * vocabularySize + $0, width), z)
            }
        }
    }

    private func attention(_ x: [[Double]], _ name: String) -> [[Double]] {
        let query = x.map { linear($0, name + "query") }
        let key = x.map { linear($0, name + "key") }
        let value = x.map { linear($0, name + "value") }
        let size = width / heads
        return x.indices.map { i in
            var mixed: [Double] = []
            let visible = (0...i).filter {
                $0 % layout.transitionDimension != layout.valueIndex
            }
            for head in 0..<heads {
                let part = (head * size)..<((head + 1) * size)
                let scores = visible.map {
                    dot(query[i][part], key[$0][part]) / Double(size).squareRoot()
                }
                let most = scores.max() ?? 0
                let powers = scores.map { exp($0 - most) }
                let sum = powers.reduce(0, +)
                for channel in part {
                    mixed.append(
                        zip(powers, visible).reduce(0) { $0 + $1.0 / sum * value[$1.1][channel] })
                }
            }
            return linear(mixed, name + "proj")
        }
    }

    private func linear(_ x: [Double], _ name: String) -> [Double] {
        (weights[name + ".bias"] ?? []).enumerated().map {
            dot(slice(name + ".weight", $0, x.count), x) + $1
        }
    }

    private func norm(_ x: [Double], _ name: String) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let scale = 1 / (variance + 1e-5).squareRoot()
        let weight = weights[name + ".weight"] ?? []
        let bias = weights[name + ".bias"] ?? []
        return x.indices.map { (x[$0] - mean) * scale * weight[$0] + bias[$0] }
    }

    private func slice(_ name: String, _ row: Int, _ width: Int) -> ArraySlice<Double> {
        weights[name]?[(row * width)..<((row + 1) * width)] ?? []
    }

    private func dot(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func add(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        zip(a, b).map { zip($0, $1).map { $0 + $1 } }
    }
}
