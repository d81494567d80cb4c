import CUDA
import Tensors
import Transformer

/// From which parts each parameter's gradient is summed: a list of `Chunk`s of update.cu, in the
/// order of the parameters.
struct GradientParts {
    /// Four words of 64 bits for each chunk.
    private(set) var words: [UInt64] = []
    /// Number of chunks.
    var count: Int { words.count / 4 }

    /// Whether the blocks' matrices learn by Muon.
    private let byMuon: Bool

    init(
        _ parameters: TransformerParameters, _ s: TrainingShape, _ memory: TrainingMemory,
        byMuon: Bool
    ) {
        self.byMuon = byMuon
        let width = s.width
        let entry = s.vocabulary * width
        let bins = (s.vocabulary - 1) * width

        // Entries of one dimension lie together, termination's behind all of them; in the parts
        // every dimension has its own termination.
        for dimension in 0..<s.dimension {
            add(
                parameters.tokens.offset + dimension * bins, bins,
                memory.tableParts.address(of: dimension * entry), s.tableSlices, s.tableNumbers)
        }
        add(
            parameters.tokens.offset + s.dimension * bins, width,
            memory.tableParts.address(of: bins), s.tableSlices * (s.dimension + s.goals), entry)
        let seen = s.length * width
        add(
            parameters.positions.offset, seen, memory.positionParts.address, s.positionSlices, seen)
        add(parameters.positions.offset + seen, parameters.positions.count - seen, 0, 0, 0)
        for (block, parts) in zip(parameters.blocks, memory.blocks) {
            add(block.norm1, parts.normParts1, s)
            let dense = [block.query, block.keyValue]
            var place = add(dense, parts.linearParts, at: 0, s)
            place = add([block.projection], parts.linearParts, at: place, s)
            add(block.norm2, parts.normParts2, s)
            place = add([block.expansion], parts.linearParts, at: place, s)
            place = add([block.contraction], parts.linearParts, at: place, s)
        }
        add(parameters.finalNorm, memory.finalNormParts, s)
        if let first = parameters.heads.first {
            add(
                first.offset, s.headNumbers, memory.headParts.address, s.headSlices, s.headNumbers,
                decays: true)
        }
        if let goals = parameters.goals {
            for dimension in 0..<s.goals {
                add(
                    goals.offset + dimension * bins, bins,
                    memory.tableParts.address(of: (s.dimension + dimension) * entry),
                    s.tableSlices, s.tableNumbers)
            }
        }
    }

    private mutating func add(
        _ norm: TransformerParameters.Norm, _ parts: Buffer<Float>, _ s: TrainingShape
    ) {
        add(norm.weight.offset, 2 * s.width, parts.address, s.normBlocks, 2 * s.width)
    }

    /// Dense layers whose parts lie from `place` on, each bias behind its matrix; where they end.
    private mutating func add(
        _ layers: [TransformerParameters.Dense], _ parts: Buffer<Float>, at place: Int,
        _ s: TrainingShape
    ) -> Int {
        var place = place
        for layer in layers {
            for (slot, isMatrix) in [(layer.weight, true), (layer.bias, false)] {
                add(
                    slot.offset, slot.count, parts.address(of: place), s.slices, s.linearNumbers,
                    decays: isMatrix, byMuon: isMatrix && byMuon)
                place += slot.count
            }
        }
        return place
    }

    private mutating func add(
        _ first: Int, _ count: Int, _ source: UInt64, _ slices: Int, _ stride: Int,
        decays: Bool = false, byMuon: Bool = false
    ) {
        for start in Swift.stride(from: 0, to: count, by: TrainingKernels.chunk) {
            let length = min(TrainingKernels.chunk, count - start)
            words += [
                source + UInt64(start * MemoryLayout<Float>.stride),
                UInt64(slices) | UInt64(stride) << 32,
                UInt64(first + start) | UInt64(length) << 32,
                (decays ? 1 : 0) | (byMuon ? 1 << 32 : 0),
            ]
        }
    }
}
