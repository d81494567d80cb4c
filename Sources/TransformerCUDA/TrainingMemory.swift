import CUDA
import Transformer

/// What training keeps on the card whatever the batch: parameters, moments, gradient, sums.
struct TrainingParameters {
    let values: Buffer<Float>
    /// The values as products take them: the very buffer, or a copy in bfloat16.
    let lowered: Buffer<UInt16>?
    let firstMoment: Buffer<Float>
    let secondMoment: Buffer<Float>
    let gradient: Buffer<Float>
    /// `Totals` of update.cu: of the steps, and of losses that are no steps.
    let totals: Buffer<UInt64>
    let otherTotals: Buffer<UInt64>
    /// For each position what its target counts in the loss.
    let lossWeights: Buffer<Float>

    /// Words of `Totals`.
    static let totalsCount = 5

    init(_ shape: KernelShape, count: Int, on device: Device) throws(CUDAError) {
        values = try Buffer(count: count, on: device)
        lowered = shape.precision == .fast ? try Buffer(count: count, on: device) : nil
        firstMoment = try Buffer(count: count, on: device)
        secondMoment = try Buffer(count: count, on: device)
        gradient = try Buffer(count: count, on: device)
        totals = try Buffer(count: Self.totalsCount, on: device)
        otherTotals = try Buffer(count: Self.totalsCount, on: device)
        lossWeights = try Buffer(count: shape.windowLength, on: device)
    }

    /// The address of the value at `offset`, and of what products take for it.
    func value(_ offset: Int) -> UInt64 { values.address(of: offset) }
    func operand(_ offset: Int) -> UInt64 {
        lowered?.address(of: offset) ?? values.address(of: offset)
    }
}

/// Numbers in the form that products take: floats, or bfloat16.
struct Operands {
    let buffer: Buffer<UInt16>

    init(count: Int, _ precision: Precision, on device: Device) throws(CUDAError) {
        buffer = try Buffer(count: precision == .exact ? 2 * count : count, on: device)
    }

    var address: UInt64 { buffer.address }
}

/// The activations of a batch of up to so many windows, and the parts of its gradients.
final class TrainingMemory {
    /// What the backward pass of a block needs from its forward pass, and its parts of the
    /// gradient.
    struct Block {
        let input: Buffer<Float>
        let middle: Buffer<Float>
        let statistics1: Buffer<Float>
        let statistics2: Buffer<Float>
        let logSums: Buffer<Float>
        let normalized1: Operands
        let qkv: Operands
        let attended: Operands
        let normalized2: Operands
        let activated: Operands
        let derivative: Operands
        let linearParts: Buffer<Float>
        let normParts1: Buffer<Float>
        let normParts2: Buffer<Float>

        init(_ s: TrainingShape, _ precision: Precision, on device: Device) throws(CUDAError) {
            let numbers = s.rows * s.width
            func floats(_ count: Int) throws(CUDAError) -> Buffer<Float> {
                try Buffer(count: count, on: device)
            }
            func operands(_ count: Int) throws(CUDAError) -> Operands {
                try Operands(count: count, precision, on: device)
            }
            input = try floats(numbers)
            middle = try floats(numbers)
            statistics1 = try floats(2 * s.rows)
            statistics2 = try floats(2 * s.rows)
            logSums = try floats(s.rows * s.heads)
            normalized1 = try operands(numbers)
            qkv = try operands(3 * numbers)
            attended = try operands(numbers)
            normalized2 = try operands(numbers)
            activated = try operands(4 * numbers)
            derivative = try operands(4 * numbers)
            linearParts = try floats(s.slices * s.linearNumbers)
            normParts1 = try floats(s.normBlocks * 2 * s.width)
            normParts2 = try floats(s.normBlocks * 2 * s.width)
        }
    }

    /// Windows that fit.
    let sequences: Int
    /// What a step gets from the host: `Step` of model.h, inputs, targets, goals, as words of 32
    /// bits.
    let batch: Buffer<Int32>
    let layout: BatchWords
    let blocks: [Block]
    let output: Buffer<Float>
    let finalStatistics: Buffer<Float>
    let finalNormalized: Operands
    let logits: Buffer<Float>
    let dLogits: Operands
    let losses: Buffer<Double>
    let dx: Buffer<Float>
    let dNarrow: Operands
    let dFeedForward: Operands
    let dAttention: Operands
    let dHidden: Operands
    let dQKV: Operands
    let deltas: Buffer<Float>
    let finalNormParts: Buffer<Float>
    let headParts: Buffer<Float>
    let tableParts: Buffer<Float>
    let positionParts: Buffer<Float>

    init(_ kernelShape: KernelShape, sequences: Int, on device: Device) throws(CUDAError) {
        let s = TrainingShape(kernelShape, sequences: sequences)
        let precision = kernelShape.precision
        let numbers = s.rows * s.width
        func floats(_ count: Int) throws(CUDAError) -> Buffer<Float> {
            try Buffer(count: count, on: device)
        }
        func operands(_ count: Int) throws(CUDAError) -> Operands {
            try Operands(count: count, precision, on: device)
        }
        self.sequences = sequences
        layout = BatchWords(s)
        batch = try Buffer(count: layout.count, on: device)
        var blocks: [Block] = []
        for _ in 0..<s.layers { blocks.append(try Block(s, precision, on: device)) }
        self.blocks = blocks
        output = try floats(numbers)
        finalStatistics = try floats(2 * s.rows)
        finalNormalized = try operands(numbers)
        logits = try floats(s.tokens * s.logitStride)
        dLogits = try operands(s.tokens * s.logitStride)
        losses = try Buffer(count: s.lossBlocks, on: device)
        dx = try floats(numbers)
        dNarrow = try operands(numbers)
        dFeedForward = try operands(numbers)
        dAttention = try operands(numbers)
        dHidden = try operands(4 * numbers)
        dQKV = try operands(3 * numbers)
        deltas = try floats(s.rows * s.heads)
        finalNormParts = try floats(s.normBlocks * 2 * s.width)
        headParts = try floats(s.headSlices * s.headNumbers)
        tableParts = try floats(s.tableSlices * s.tableNumbers)
        positionParts = try floats(s.positionSlices * s.length * s.width)
    }
}
