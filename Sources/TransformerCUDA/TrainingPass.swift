import CUDA
import Tensors
import Transformer

/// The kernels of one batch size, in order: what a step's graph is made of.
struct TrainingPass {
    let shape: TrainingShape
    let parts: GradientParts
    /// The list of `parts` on the card.
    let chunks: Buffer<UInt64>

    private let kernels: TrainingKernels
    private let parameters: TrainingParameters
    private let places: TransformerParameters
    private let memory: TrainingMemory
    private let muon: MuonPass?

    init(
        _ kernelShape: KernelShape, sequences: Int, kernels: TrainingKernels,
        parameters: TrainingParameters, places: TransformerParameters, memory: TrainingMemory,
        muon: MuonPass?, _ stream: Stream
    ) throws(CUDAError) {
        shape = TrainingShape(kernelShape, sequences: sequences)
        parts = GradientParts(places, shape, memory, byMuon: muon != nil)
        chunks = try Buffer(count: parts.words.count, on: stream.device)
        try stream.write(parts.words, to: chunks)
        self.kernels = kernels
        self.parameters = parameters
        self.places = places
        self.memory = memory
        self.muon = muon
    }

    private var step: UInt64 { memory.batch.address }
    private var inputs: UInt64 { memory.batch.address(of: memory.layout.inputs) }
    private var targets: UInt64 { memory.batch.address(of: memory.layout.targets) }
    private var goals: UInt64 { memory.batch.address(of: memory.layout.goals) }
    private var rows: Int32 { Int32(shape.rows) }
    private var sequences: Int32 { Int32(shape.sequences) }
    private var queries: (blocks: Int, threads: Int) { shape.dealt(shape.sequenceRows) }
    private var keys: (blocks: Int, threads: Int) { shape.dealt(shape.keys) }

    // MARK: - Forward

    /// From tokens to the gradient of the logits and the parts of the loss.
    func forward(_ stream: Stream) throws(CUDAError) {
        let s = shape
        try stream.launch(
            kernels.embedding, grid: (s.rowBlocks, 1), threads: TrainingKernels.rowThreads,
            residual(0), inputs, goals, parameters.value(places.tokens.offset),
            parameters.value(places.positions.offset),
            parameters.value(places.goals?.offset ?? 0), step, rows)
        for layer in 0..<s.layers { try forward(layer, stream) }
        try norm(
            places.finalNorm, input: memory.output.address,
            output: memory.finalNormalized, statistics: memory.finalStatistics, stream)
        let head = places.heads[0].offset
        try stream.launch(
            kernels.heads,
            grid: (
                groups(of: s.vocabulary, TrainingKernels.productColumns),
                groups(of: s.headRows, TrainingKernels.productRows)
            ),
            depth: s.dimension, threads: TrainingKernels.productThreads, memory.logits,
            memory.finalNormalized.address, parameters.operand(head), sequences)
        try stream.launch(
            kernels.crossEntropy, grid: (s.lossBlocks, 1), threads: TrainingKernels.rowThreads,
            memory.dLogits.address, memory.losses, memory.logits, targets, parameters.lossWeights,
            step, Int32(s.tokens))
    }

    private func forward(_ layer: Int, _ stream: Stream) throws(CUDAError) {
        let s = shape
        let a = memory.blocks[layer]
        let p = places.blocks[layer]
        let threads = TrainingKernels.productThreads
        try norm(
            p.norm1, input: a.input.address, output: a.normalized1, statistics: a.statistics1,
            stream)
        try stream.launch(
            kernels.qkv, grid: s.productGrid(columns: 3 * s.width), threads: threads,
            a.qkv.address, a.normalized1.address, parameters.operand(p.query.weight.offset),
            parameters.value(p.query.weight.offset), rows)
        try stream.launch(
            kernels.attention, grid: (queries.blocks, s.heads), depth: s.sequences,
            threads: queries.threads, a.attended.address, a.logSums, a.qkv.address, step,
            Int32(3 * layer + 1))
        try stream.launch(
            kernels.projection, grid: s.productGrid(columns: s.width), threads: threads, a.middle,
            a.attended.address, parameters.operand(p.projection.weight.offset),
            parameters.value(p.projection.weight.offset), a.input, step, Int32(3 * layer + 2),
            rows)
        try norm(
            p.norm2, input: a.middle.address, output: a.normalized2, statistics: a.statistics2,
            stream)
        try stream.launch(
            kernels.expansion, grid: s.productGrid(columns: 4 * s.width), threads: threads,
            a.activated.address, a.derivative.address, a.normalized2.address,
            parameters.operand(p.expansion.weight.offset),
            parameters.value(p.expansion.weight.offset), rows)
        try stream.launch(
            kernels.contraction, grid: s.productGrid(columns: s.width), threads: threads,
            residual(layer + 1), a.activated.address,
            parameters.operand(p.contraction.weight.offset),
            parameters.value(p.contraction.weight.offset), a.middle, step, Int32(3 * layer + 3),
            rows)
    }

    /// The residual stream before a layer, or behind the last.
    private func residual(_ layer: Int) -> UInt64 {
        layer < shape.layers ? memory.blocks[layer].input.address : memory.output.address
    }

    private func norm(
        _ norm: TransformerParameters.Norm, input: UInt64, output: Operands,
        statistics: Buffer<Float>, _ stream: Stream
    ) throws(CUDAError) {
        try stream.launch(
            kernels.norm, grid: (shape.rowBlocks, 1), threads: TrainingKernels.rowThreads,
            output.address, statistics, input, parameters.value(norm.weight.offset), rows)
    }

    // MARK: - Backward

    /// From the gradient of the logits to the gradient of all parameters.
    func backward(_ stream: Stream) throws(CUDAError) {
        let s = shape
        let threads = TrainingKernels.productThreads
        try stream.launch(
            kernels.headWeightsBackward, grid: (s.weightParts(s.vocabulary, s.width), s.headSlices),
            depth: s.dimension, threads: threads, memory.headParts, memory.dLogits.address,
            memory.finalNormalized.address, sequences, Int32(s.headShare))
        try stream.launch(
            kernels.headsBackward,
            grid: (
                groups(of: s.width, TrainingKernels.productColumns),
                groups(of: s.headRows, TrainingKernels.productRows)
            ),
            depth: s.dimension, threads: threads, memory.dNarrow.address, memory.dLogits.address,
            parameters.operand(places.heads[0].offset), sequences)
        try normBackward(
            kernels.finalNormBackward, places.finalNorm, input: memory.output,
            statistics: memory.finalStatistics, dBranch: memory.dFeedForward,
            parts: memory.finalNormParts, site: 3 * s.layers, stream)
        for layer in (0..<s.layers).reversed() { try backward(layer, stream) }
        try stream.launch(
            kernels.tablesBackward,
            grid: (groups(of: s.width, s.tableChannels), s.tableSlices),
            depth: s.dimension + s.goals, threads: s.tableChannels, memory.tableParts,
            memory.dFeedForward.address, inputs, goals, sequences, Int32(s.tableShare))
        try stream.launch(
            kernels.positionsBackward, grid: (s.length, s.positionSlices),
            threads: TrainingKernels.positionThreads, memory.positionParts,
            memory.dFeedForward.address, sequences, Int32(s.positionShare))
    }

    private func backward(_ layer: Int, _ stream: Stream) throws(CUDAError) {
        let s = shape
        let a = memory.blocks[layer]
        let p = places.blocks[layer]
        let threads = TrainingKernels.productThreads
        let narrow = s.productGrid(columns: s.width)
        try stream.launch(
            kernels.contractionBackward, grid: s.productGrid(columns: 4 * s.width),
            threads: threads, memory.dHidden.address, memory.dFeedForward.address,
            parameters.operand(p.contraction.weight.offset), a.derivative.address, rows)
        try stream.launch(
            kernels.expansionBackward, grid: narrow, threads: threads, memory.dNarrow.address,
            memory.dHidden.address, parameters.operand(p.expansion.weight.offset), rows)
        try normBackward(
            kernels.normBackward, p.norm2, input: a.middle, statistics: a.statistics2,
            dBranch: memory.dAttention, parts: a.normParts2, site: 3 * layer + 2, stream)
        try stream.launch(
            kernels.projectionBackward, grid: narrow, threads: threads, memory.dNarrow.address,
            memory.dAttention.address, parameters.operand(p.projection.weight.offset), rows)
        try stream.launch(
            kernels.attentionBackwardQueries, grid: (queries.blocks, s.heads),
            depth: s.sequences, threads: queries.threads, memory.dQKV.address,
            memory.deltas, memory.dNarrow.address, a.attended.address, a.logSums, a.qkv.address,
            step, Int32(3 * layer + 1))
        try stream.launch(
            kernels.attentionBackwardKeys, grid: (keys.blocks, s.heads), depth: s.sequences,
            threads: keys.threads, memory.dQKV.address, memory.deltas,
            memory.dNarrow.address, a.logSums, a.qkv.address, step, Int32(3 * layer + 1))
        try stream.launch(
            kernels.qkvBackward, grid: narrow, threads: threads, memory.dNarrow.address,
            memory.dQKV.address, parameters.operand(p.query.weight.offset), rows)
        try stream.launch(
            kernels.weightsBackward, grid: (s.layerWeightParts, s.slices), threads: threads,
            a.linearParts, memory.dQKV.address, a.normalized1.address, memory.dAttention.address,
            a.attended.address, memory.dHidden.address, a.normalized2.address,
            memory.dFeedForward.address, a.activated.address, rows, Int32(s.share))
        try normBackward(
            kernels.normBackward, p.norm1, input: a.input, statistics: a.statistics1,
            dBranch: memory.dFeedForward, parts: a.normParts1, site: 3 * layer, stream)
    }

    /// `site` is where the gradient of the norm's input goes next: site 3 × layer is the second
    /// residual of the layer before, and the embedding in front of the first.
    private func normBackward(
        _ kernel: Kernel, _ norm: TransformerParameters.Norm, input: Buffer<Float>,
        statistics: Buffer<Float>, dBranch: Operands, parts: Buffer<Float>, site: Int,
        _ stream: Stream
    ) throws(CUDAError) {
        try stream.launch(
            kernel, grid: (shape.normBlocks, 1), threads: TrainingKernels.rowThreads, memory.dx,
            dBranch.address, parts, memory.dNarrow.address, input, statistics,
            parameters.value(norm.weight.offset), step, Int32(site), rows)
    }

    // MARK: - Update

    /// The gradient from its parts, and the parts of its square.
    func reduce(squares: Buffer<Double>, _ stream: Stream) throws(CUDAError) {
        try stream.launch(
            kernels.reduceGradients, grid: (parts.count, 1),
            threads: TrainingKernels.updateThreads, parameters.gradient, squares, chunks)
    }

    /// The parts of the gradient's square anew, after the host changed it.
    func sumSquares(_ squares: Buffer<Double>, _ stream: Stream) throws(CUDAError) {
        try stream.launch(
            kernels.sumSquares, grid: (parts.count, 1), threads: TrainingKernels.updateThreads,
            squares, parameters.gradient, chunks)
    }

    /// The loss of the batch into the totals of what is no step.
    func sumLoss(squares: Buffer<Double>, _ stream: Stream) throws(CUDAError) {
        try stream.launch(
            kernels.finishStep, grid: (1, 1), threads: TrainingKernels.updateThreads,
            parameters.otherTotals, memory.losses, squares, step, Int32(shape.lossBlocks),
            Int32(0))
    }

    /// Loss and norm into the steps' totals, then Muon where it is wanted, and AdamW.
    func update(squares: Buffer<Double>, _ stream: Stream) throws(CUDAError) {
        try stream.launch(
            kernels.finishStep, grid: (1, 1), threads: TrainingKernels.updateThreads,
            parameters.totals, memory.losses, squares, step, Int32(shape.lossBlocks),
            Int32(parts.count))
        try muon?.update(parameters, step: step, stream)
        try stream.launch(
            kernels.adamW, grid: (parts.count, 1), threads: TrainingKernels.updateThreads,
            parameters.values, parameters.operand(0), parameters.firstMoment,
            parameters.secondMoment, parameters.gradient, chunks, parameters.totals, step)
    }
}
