import Foundation
import PythonFiles
import Safetensors
import TestSupport
import Testing
import Tokenization
import TorchCheckpoints
import Trajectories
import Transformer
import TransformerCPU

/// States of the authors' code and of the Faster Trajectory Transformer, and what these compute.
struct TorchStateTests {
    private static let data = GoldenData(Bundle.module)
    private static let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)

    private static func model(_ name: String) throws -> (TorchState, TrajectoryTransformer) {
        let state = try TorchState(contentsOf: data.url(name))
        return (
            state, try state.model(try state.configuration(layout: layout, headCount: 2))
        )
    }

    @Test(arguments: ["official_state_tiny.pt", "official_state_tiny_legacy.pt"])
    func `the authors' parameters come out as they are`(name: String) throws {
        let (state, model) = try Self.model(name)
        #expect(state.layout == .authors)
        #expect(state.layerCount == 2)
        #expect(model.configuration.contextLength == 27)
        let expected = try Self.data.tensors("model_tiny.safetensors")
        for (key, tensor) in model.tensors().tensors {
            #expect(expected.tensors[key]?.bytes == tensor.bytes, "\(key)")
        }
    }

    @Test(arguments: [
        ("faster_separate_heads", TorchState.Layout.fasterSeparateHeads),
        ("faster_one_head", .fasterOneHead),
    ])
    func `logits of the Faster Trajectory Transformer agree, and termination has none`(
        name: String, layout: TorchState.Layout
    ) throws {
        let (state, model) = try Self.model("\(name).pt")
        #expect(state.layout == layout)
        #expect(state.contextTransitions == 4)
        let expected = try Self.data.tensors("\(name).expected.safetensors")
        let tokens = try expected.integers("tokens")
        let length = try expected.shape(of: "tokens")[1]
        var logits: [Float] = []
        for row in 0..<3 {
            let sequence = Array(tokens[(row * length)..<((row + 1) * length)])
            for position in try CPUEngine().logits(model, sequence) {
                logits += position.dropLast()
                #expect(abs(try #require(position.last) + 1000) < 0.01)
            }
            // What was recorded of separate heads are the first 75 of 84 positions: each row filled
            // up to whole transitions with zeros, as that code does before its heads.
            let filled = layout == .fasterSeparateHeads ? 28 - length : 0
            logits += [Float](repeating: 0, count: filled * 10)
        }
        logits = Array(logits.prefix(3 * length * 10))
        #expect(relativeError(logits, try expected.floats("logits")) < goldenTolerance)
    }

    @Test func `tokens of the Faster Trajectory Transformer's discretizer are the same`() throws {
        let bins = try FasterDiscretizer.read(Self.data.url("faster_discretizer.pt"))
        let expected = try Self.data.tensors("faster_discretizer.expected.safetensors")
        let points = try expected.doubles("points")
        let tokens = try expected.integers("tokens")
        var found: [Int] = []
        for row in stride(from: 0, to: points.count, by: 7) {
            found += try bins.encode(points[row..<(row + 7)])
        }
        #expect(found == tokens)
        let decoded = stride(from: 0, to: tokens.count, by: 7).flatMap {
            bins.decode(tokens[$0..<($0 + 7)])
        }
        #expect(
            relativeError(
                decoded.map { Float($0) }, try expected.doubles("decoded").map { Float($0) })
                < goldenTolerance)
    }

    @Test func `a value within the tolerance below an edge counts as reaching it, no other`()
        throws
    {
        let bins = try FasterDiscretizer.read(Self.data.url("faster_discretizer.pt"))
        let edges = try Self.data.tensors("faster_discretizer.expected.safetensors")
            .doubles("bin_edges")
        func tokens(_ value: Double, _ column: Int) -> Int {
            let moved = value + (1e-8 + 1e-5 * abs(value))
            let reached = (1...10).count { edges[column * 11 + $0] <= moved }
            return min(reached, 9)
        }
        for column in 0..<7 {
            for edge in 0...10 {
                for shift in [-2e-5, -1.1e-5, -1.0000001e-5, -0.9e-5, -1e-7, 0, 1e-7, 1e-5] {
                    let value = edges[column * 11 + edge]
                    let near = value + shift * abs(value) - 1e-9
                    #expect(bins.token(for: near, dimension: column) == tokens(near, column))
                }
            }
        }
    }

    @Test func `settings beside a state are read`() throws {
        let folder = try Self.data.url("authors")
        let settings = try AuthorsSettings(in: folder)
        var expected = AuthorsSettings()
        (expected.headCount, expected.observationDimension, expected.actionDimension) = (2, 3, 2)
        (expected.actionWeight, expected.rewardWeight, expected.valueWeight) = (5, 1, 1)
        expected.embeddingDropout = 0.1
        expected.attentionDropout = 0.1
        expected.residualDropout = 0.1
        expected.environment = "hopper-medium-v2"
        expected.discount = 0.99
        expected.terminationPenalty = .number(-100)
        expected.strategy = .quantile
        expected.binCount = 10
        #expect(settings == expected)
        #expect(try AuthorsSettings(in: folder.appendingPathComponent("none")) == .init())
    }

    @Test func `an export has the authors' tensors, masks included, and their settings`() throws {
        let (_, model) = try Self.model("official_state_tiny.pt")
        var tokenization = TokenizedDataset.Settings()
        tokenization.binCount = 10
        tokenization.windowLength = 4
        tokenization.terminationPenalty = .number(-100)
        let checkpoint = Checkpoint(
            model: model,
            discretizer: Discretizer(
                strategy: .quantile, edges: (0..<77).map(Double.init), dimension: 7, binCount: 10),
            tokenization: tokenization)
        let folder = try TemporaryFolder()
        try TorchExport(checkpoint, epoch: 3, file: "x")
            .write(to: folder.url, dataset: "hopper-medium-v2")
        let original = try TorchFile(contentsOf: Self.data.url("official_state_tiny.pt"))
        let written = try TorchFile(
            contentsOf: folder.url.appendingPathComponent("state_3.pt"))
        let (expected, found) = (try original.tensors(), try written.tensors())
        #expect(Set(expected.keys) == Set(found.keys))
        for (key, tensor) in expected {
            let other = try #require(found[key])
            #expect(other.shape == tensor.shape, "\(key)")
            #expect(
                try written.floats(other, called: key) == original.floats(tensor, called: key),
                "\(key)")
        }
        #expect(
            try AuthorsSettings(in: folder.url) == AuthorsSettings(in: Self.data.url("authors")))
    }

    @Test func `a state of another model is refused in one line`() throws {
        for (name, word) in [("faster_discretizer.pt", "KBinsDiscretizer")] {
            let error = #expect(throws: PythonFileError.self) {
                _ = try TorchState(contentsOf: Self.data.url(name))
            }
            let line = "\(try #require(error))"
            #expect(line.contains(word) && !line.contains("\n"), "\(line)")
        }
        let state = try TorchState(contentsOf: Self.data.url("official_state_tiny.pt"))
        #expect(throws: PythonFileError.self) {
            _ = try state.configuration(
                layout: TransitionLayout(observationDimension: 4, actionDimension: 2), headCount: 2)
        }
        #expect(throws: PythonFileError.self) {
            _ = try state.configuration(layout: Self.layout, headCount: 3)
        }
    }
}
