import CUDA
import Transformer

/// The kernels of a training step (`training.cu`), and the sizes of their blocks, which must be
/// those that the kernels state.
struct TrainingKernels {
    /// `BLOCK_ROWS`, `BLOCK_COLUMNS` and `PRODUCT_THREADS` of product.h.
    static let productRows = 64
    static let productColumns = 64
    static let productThreads = 128
    /// `ROW_WARPS` and `ROW_THREADS` of heads.cu.
    static let rowsPerBlock = 8
    static let rowThreads = 256
    /// `CHUNK` and `UPDATE_THREADS` of update.cu.
    static let chunk = 256
    static let updateThreads = 256
    /// `threads` of positions_backward.
    static let positionThreads = 64

    let embedding: Kernel
    let norm: Kernel
    let qkv: Kernel
    let attention: Kernel
    let projection: Kernel
    let expansion: Kernel
    let contraction: Kernel
    let heads: Kernel
    let crossEntropy: Kernel

    let headsBackward: Kernel
    let headWeightsBackward: Kernel
    let finalNormBackward: Kernel
    let contractionBackward: Kernel
    let expansionBackward: Kernel
    let normBackward: Kernel
    let projectionBackward: Kernel
    let attentionBackwardQueries: Kernel
    let attentionBackwardKeys: Kernel
    let qkvBackward: Kernel
    let weightsBackward: Kernel
    let tablesBackward: Kernel
    let positionsBackward: Kernel

    let reduceGradients: Kernel
    let sumSquares: Kernel
    let finishStep: Kernel
    let adamW: Kernel
    let lowerParameters: Kernel
    let muon: MuonKernels

    /// Compiles and loads the kernels for a shape.
    init(_ shape: KernelShape, on device: Device) throws(CUDAError) {
        let kernels = try Kernels(shape.program(["training.cu"]), on: device)
        embedding = try kernels.kernel("embedding_forward")
        norm = try kernels.kernel("layer_norm_forward")
        qkv = try kernels.kernel("qkv_forward")
        attention = try kernels.kernel("attention_forward")
        projection = try kernels.kernel("projection_forward")
        expansion = try kernels.kernel("expansion_forward")
        contraction = try kernels.kernel("contraction_forward")
        heads = try kernels.kernel("heads_forward")
        crossEntropy = try kernels.kernel("cross_entropy")
        headsBackward = try kernels.kernel("heads_backward")
        headWeightsBackward = try kernels.kernel("heads_weights_backward")
        finalNormBackward = try kernels.kernel("final_norm_backward")
        contractionBackward = try kernels.kernel("contraction_backward")
        expansionBackward = try kernels.kernel("expansion_backward")
        normBackward = try kernels.kernel("layer_norm_backward")
        projectionBackward = try kernels.kernel("projection_backward")
        attentionBackwardQueries = try kernels.kernel("attention_backward_queries")
        attentionBackwardKeys = try kernels.kernel("attention_backward_keys")
        qkvBackward = try kernels.kernel("qkv_backward")
        weightsBackward = try kernels.kernel("weights_backward")
        tablesBackward = try kernels.kernel("tables_backward")
        positionsBackward = try kernels.kernel("positions_backward")
        reduceGradients = try kernels.kernel("reduce_gradients")
        sumSquares = try kernels.kernel("sum_squares")
        finishStep = try kernels.kernel("finish_step")
        adamW = try kernels.kernel("adamw")
        lowerParameters = try kernels.kernel("lower_parameters")
        muon = try MuonKernels(kernels)
    }
}

/// How many groups of `size` cover `count`.
func groups(of count: Int, _ size: Int) -> Int { (count + size - 1) / size }
