import Foundation
import Planning
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

let golden = GoldenData(.module)

/// The implementations of the golden data's small model that the planners are tested with.
enum GoldenModel: String, CaseIterable, CustomTestStringConvertible {
    case reference, transformer

    var testDescription: String { rawValue }

    /// The model of `model_tiny.safetensors`.
    func make() throws -> any PrefixTreeModel {
        switch self {
        case .reference:
            try ReferenceTransformer(
                golden.tensors("model_tiny.safetensors"),
                layout: TransitionLayout(observationDimension: 3, actionDimension: 2), layers: 2,
                heads: 2)
        case .transformer:
            CPUEngine.cpu.prefixDecoder(try goldenTransformer())
        }
    }
}

/// The real transformer with the weights of `model_tiny.safetensors`.
func goldenTransformer() throws -> TrajectoryTransformer {
    var configuration = TransformerConfiguration(
        layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
        contextTransitions: 4)
    configuration.binCount = 10
    configuration.layerCount = 2
    configuration.headCount = 2
    configuration.embeddingWidth = 16
    return try TrajectoryTransformer(
        configuration, tensors: golden.tensors("model_tiny.safetensors"))
}

/// The discretizer whose last two columns give the golden plans' rewards and values.
func goldenDiscretizer() throws -> Discretizer {
    let file = try golden.tensors("beam_plan_discretizer.safetensors")
    return try Discretizer(
        strategy: .quantile, edges: file.doubles("thresholds"), dimension: 7, binCount: 10)
}

/// Cuts a row-major tensor into its rows along the first axis.
func rows<Number>(_ numbers: [Number], _ width: Int) -> [[Number]] {
    stride(from: 0, to: numbers.count, by: width).map { Array(numbers[$0..<($0 + width)]) }
}

@Suite struct GoldenModelTests {
    @Test(arguments: GoldenModel.allCases)
    func `logits at the nodes of a tree are those of whole sequences`(_ kind: GoldenModel) throws {
        let model = try kind.make()
        let file = try golden.tensors("model_tiny_io.safetensors")
        let sequences = rows(try file.integers("tokens"), 27)
        let expected = rows(rows(try file.floats("logits"), 11), 27)
        // All four sequences as one tree, in one call.
        var batch: [PrefixNode] = []
        for tokens in sequences {
            for (position, token) in tokens.enumerated() {
                batch.append(
                    PrefixNode(
                        parent: position == 0 ? .root : .node(batch.count - 1), token: token,
                        needsOutput: true))
            }
        }
        try model.removeAll()
        let numbers = try model.extend(batch)
        for (sequence, logits) in expected.enumerated() {
            let actual = logits.indices.flatMap {
                model.logits(of: numbers.lowerBound + sequence * 27 + $0)
            }
            #expect(relativeError(actual, logits.flatMap(\.self)) < goldenTolerance)
        }
    }
}
