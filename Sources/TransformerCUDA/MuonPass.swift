import CUDA
import Tensors
import Transformer

/// The kernels of `muon.cu`.
struct MuonKernels {
    /// `MUON_PARTS` of muon.cu.
    static let parts = 16

    let momentum: Kernel
    let gram: Kernel
    let polynomial: Kernel
    let next: Kernel
    let update: Kernel

    init(_ kernels: Kernels) throws(CUDAError) {
        momentum = try kernels.kernel("muon_momentum")
        gram = try kernels.kernel("muon_gram")
        polynomial = try kernels.kernel("muon_polynomial")
        next = try kernels.kernel("muon_next")
        update = try kernels.kernel("muon_update")
    }
}

/// One step by Muon of all matrices that it teaches, and what it keeps for that on the card.
struct MuonPass {
    private let options: MuonOptions
    private let kernels: MuonKernels
    /// Blocks of the results of A and B, and of X where it is largest.
    private let blocks: (gram: Int, next: Int)
    private let count: Int
    /// `MuonMatrix` of muon.cu, for each matrix.
    private let matrices: Buffer<UInt32>
    private let squares: Buffer<Double>
    /// X before and after an iteration, by turns.
    private let factors: [Operands]
    private let grams: Operands
    private let polynomials: Operands

    init(
        _ options: MuonOptions, _ shape: KernelShape, places: TransformerParameters,
        kernels: MuonKernels, _ stream: Stream
    ) throws(CUDAError) {
        let slots = places.blockMatrices
        var words: [UInt32] = []
        var numbers = 0
        for slot in slots {
            words += [slot.offset, numbers, slot.rows, slot.columns].map { UInt32($0) }
            numbers += slot.count
        }
        func blocks(_ rows: Int, _ columns: Int) -> Int {
            groups(of: rows, TrainingKernels.productRows)
                * groups(of: columns, TrainingKernels.productColumns)
        }
        func operands(_ count: Int) throws(CUDAError) -> Operands {
            try Operands(count: count, shape.precision, on: stream.device)
        }
        let width = shape.configuration.embeddingWidth
        self.options = options
        self.kernels = kernels
        self.blocks = (
            blocks(width, width), slots.map { blocks($0.rows, $0.columns) }.max() ?? 0
        )
        count = slots.count
        matrices = try Buffer(count: words.count, on: stream.device)
        try stream.write(words, to: matrices)
        squares = try Buffer(count: slots.count * MuonKernels.parts, on: stream.device)
        factors = [try operands(numbers), try operands(numbers)]
        grams = try operands(slots.count * width * width)
        polynomials = try operands(slots.count * width * width)
    }

    /// From the gradient, whose norm is known, to new matrices; `step` is the address of `Step`.
    func update(
        _ parameters: TrainingParameters, step: UInt64, _ stream: Stream
    ) throws(CUDAError) {
        let (a, b, c) = MuonOptions.coefficients
        let threads = TrainingKernels.productThreads
        try stream.launch(
            kernels.momentum, grid: (MuonKernels.parts, count),
            threads: TrainingKernels.updateThreads, factors[0].address, squares,
            parameters.firstMoment, parameters.gradient, matrices, parameters.totals,
            options.momentum)
        for iteration in 0..<MuonOptions.iterations {
            let (x, next) = (factors[iteration % 2], factors[(iteration + 1) % 2])
            // The first X has yet to be made of length 1.
            let squares = iteration == 0 ? squares.address : 0
            try stream.launch(
                kernels.gram, grid: (blocks.gram, count), threads: threads, grams.address,
                x.address, squares, matrices)
            try stream.launch(
                kernels.polynomial, grid: (blocks.gram, count), threads: threads,
                polynomials.address, grams.address, b, c)
            if iteration + 1 < MuonOptions.iterations {
                try stream.launch(
                    kernels.next, grid: (blocks.next, count), threads: threads, next.address,
                    x.address, polynomials.address, squares, matrices, a)
            } else {
                try stream.launch(
                    kernels.update, grid: (blocks.next, count), threads: threads,
                    parameters.values, parameters.operand(0), x.address, polynomials.address,
                    matrices, step, a, options.rateRatio)
            }
        }
    }
}
