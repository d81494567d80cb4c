import CUDA
import EmulatedCUDA
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

/// The device that the CPU emulates.
func emulatedDevice() throws -> Device {
    try Device(driver: Driver(name: "emulated") { emulated_cuda_symbol($0) })
}

/// A small model with random weights that are not small, so that every part of it matters.
func smallModel(
    goals: Int = 0, width: Int = 32, heads: Int = 2, seed: UInt64
) throws -> TrajectoryTransformer {
    var configuration = TransformerConfiguration(
        layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
        contextTransitions: 4)
    configuration.binCount = 10
    configuration.layerCount = 2
    configuration.headCount = heads
    configuration.embeddingWidth = width
    configuration.goalDimension = goals
    var tensors = TrajectoryTransformer(configuration, seed: seed).tensors()
    var generator = SeededGenerator(seed: seed)
    for name in tensors.tensors.keys.sorted() {
        let values = try tensors.floats(name).map {
            4 * $0 + Float.random(in: -0.1...0.1, using: &generator)
        }
        tensors.set(name, values, shape: try tensors.shape(of: name))
    }
    return try TrajectoryTransformer(configuration, tensors: tensors)
}

/// Windows of random tokens; some targets do not count.
func randomBatch(
    _ model: TrajectoryTransformer, rows: Int, length: Int? = nil, firstRow: Int = 0,
    totalRows: Int? = nil, seed: UInt64
) -> TokenBatch {
    let configuration = model.configuration
    var generator = SeededGenerator(seed: seed)
    var batch = TokenBatch(
        rows: rows, length: length ?? configuration.contextLength,
        goalDimension: configuration.goalDimension, firstRow: firstRow, totalRows: totalRows)
    let vocabulary = Int32(configuration.vocabularySize)
    for index in batch.inputs.indices {
        batch.inputs[index] = Int32.random(in: 0..<vocabulary, using: &generator)
        batch.targets[index] = Int32.random(in: 0..<vocabulary, using: &generator)
        batch.mask[index] = Int.random(in: 0..<5, using: &generator) == 0 ? 0 : 1
    }
    for index in batch.goals.indices {
        batch.goals[index] = Int32.random(in: 0..<(vocabulary - 1), using: &generator)
    }
    return batch
}

@Suite struct DecoderTests {
    /// Grows random trees in random batches on both engines and compares all logits.
    private func check(
        _ model: TrajectoryTransformer, precision: Precision = .exact, goals: [[Int]] = [],
        passes: Int, batch: Int, tolerance: Double, seed: UInt64
    ) throws {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let expected = try CPUEngine(workers: 1).decoder(model)
        let decoder = try CUDAPrefixDecoder(model, on: emulatedDevice(), precision: precision)
        for _ in 0..<2 {
            try expected.begin(goals: goals)
            try decoder.begin(goals: goals)
            var lengths: [Int] = []
            for _ in 0..<passes {
                var nodes: [PrefixNode] = []
                let first = lengths.count
                for _ in 0..<Int.random(in: 1...batch, using: &generator) {
                    // Prefer recent parents, some of them of this very call.
                    let recent = max(-1, lengths.count - 3 * batch)
                    var parent = Int.random(
                        in: recent...max(lengths.count - 1, recent), using: &generator)
                    if parent >= 0 && lengths[parent] == model.configuration.contextLength {
                        parent = -1
                    }
                    lengths.append(parent < 0 ? 1 : lengths[parent] + 1)
                    nodes.append(
                        PrefixNode(
                            parent: parent >= 0
                                ? .node(parent)
                                : .goal(Int.random(in: 0..<max(goals.count, 1), using: &generator)),
                            token: Int.random(in: 0..<decoder.vocabularySize, using: &generator),
                            needsOutput: Bool.random(using: &generator)))
                }
                #expect(try decoder.extend(nodes) == first..<lengths.count)
                _ = try expected.extend(nodes)
                for (index, node) in nodes.enumerated() where node.needsOutput {
                    let error = relativeError(
                        decoder.logits(of: first + index), expected.logits(of: first + index))
                    #expect(error < tolerance, "node \(first + index)")
                }
            }
        }
    }

    @Test func `every node's logits are the CPU's`() throws {
        try check(
            smallModel(seed: 1), passes: 25, batch: 40, tolerance: goldenTolerance, seed: 1)
    }

    @Test func `goals stand at the roots`() throws {
        try check(
            smallModel(goals: 2, seed: 2), goals: [[1, 2], [3, 4], [9, 0]], passes: 10, batch: 30,
            tolerance: goldenTolerance, seed: 2)
    }

    @Test func `narrow and wide models, and heads of eight channels, are computed too`() throws {
        try check(
            smallModel(width: 16, heads: 2, seed: 3), passes: 6, batch: 20,
            tolerance: goldenTolerance, seed: 3)
        try check(
            smallModel(width: 144, heads: 9, seed: 4), passes: 2, batch: 20,
            tolerance: goldenTolerance, seed: 4)
    }

    @Test func `fast products stay as near as bfloat16 lets them`() throws {
        try check(
            smallModel(seed: 5), precision: .fast, passes: 10, batch: 30, tolerance: 0.05, seed: 5)
    }

    @Test func `a model that the kernels cannot compute is refused in one line`() throws {
        let device = try emulatedDevice()
        let error = #expect(throws: EngineError.self) {
            try CUDAPrefixDecoder(
                smallModel(width: 30, heads: 2, seed: 6), on: device, precision: .exact)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.description.contains("\n") == false)
    }
}
