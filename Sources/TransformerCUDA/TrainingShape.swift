import Trajectories
import Transformer

/// The sizes of a training step over `sequences` windows, and into how many parts its sums are
/// split.
///
/// The parts depend on the batch alone, not on the card, so that every card adds in the same order.
struct TrainingShape {
    let width: Int
    let heads: Int
    let layers: Int
    let vocabulary: Int
    let dimension: Int
    let goals: Int
    let length: Int
    let sequences: Int
    private let precision: Precision

    init(_ shape: KernelShape, sequences: Int) {
        let configuration = shape.configuration
        width = configuration.embeddingWidth
        heads = configuration.headCount
        layers = configuration.layerCount
        vocabulary = configuration.vocabularySize
        dimension = configuration.layout.transitionDimension
        goals = configuration.goalDimension
        length = shape.windowLength
        self.sequences = sequences
        precision = shape.precision
    }

    /// Rows of a sequence: its goal, then its tokens.
    var sequenceRows: Int { goals + length }
    var rows: Int { sequences * sequenceRows }
    var tokens: Int { sequences * length }
    /// Numbers between rows of logits.
    var logitStride: Int { groups(of: vocabulary, 8) * 8 }
    /// Keys of a sequence that are seen.
    var keys: Int { goals + length - length / dimension }
    /// Rows of the head that has most.
    var headRows: Int { sequences * ((length - 1) / dimension + 1) }

    /// Blocks of a row kernel.
    var rowBlocks: Int { groups(of: rows, TrainingKernels.rowsPerBlock) }
    /// Blocks of a layer norm's backward pass, each with sums of its own.
    var normBlocks: Int { min(264, rowBlocks) }
    var lossBlocks: Int { min(1024, groups(of: tokens, TrainingKernels.rowsPerBlock)) }
    /// Parts of the sums over all rows, and rows of each: at the paper's width one block for each
    /// that an H100 runs at a time.
    var slices: Int { parts(rows, of: 512, most: precision == .exact ? 11 : 13) }
    var share: Int { groups(of: rows, slices) }
    /// Of the sums over a head's rows.
    var headSlices: Int { parts(headRows, of: 128, most: 8) }
    var headShare: Int { groups(of: headRows, headSlices) }
    /// Of the sums over the rows of one dimension's tokens.
    var tableSlices: Int { parts(headRows, of: 16, most: 16) }
    var tableShare: Int { groups(of: headRows, tableSlices) }
    /// Of the sums over sequences.
    var positionSlices: Int { parts(sequences, of: 4, most: 8) }
    var positionShare: Int { groups(of: sequences, positionSlices) }

    /// Channels of a block of tables_backward: `TABLE_CHANNELS` of rows.cu.
    var tableChannels: Int { vocabulary <= 180 ? 64 : 32 }
    /// Numbers of a block's dense layers: `LINEAR_NUMBERS` of linear.cu.
    var linearNumbers: Int { 12 * width * width + 9 * width }
    /// Numbers of the parts of the tables' gradients, for each slice.
    var tableNumbers: Int { (dimension + goals) * vocabulary * width }
    var headNumbers: Int { dimension * vocabulary * width }

    /// How attention deals queries or keys to blocks and their threads: `Dealt` of attention.cu.
    func dealt(_ rows: Int) -> (blocks: Int, threads: Int) {
        let tiles = groups(of: rows, 16)
        let blocks = groups(of: tiles, 6)
        return (blocks, 32 * groups(of: tiles, blocks))
    }

    /// Blocks of a product that gives `columns` for each row.
    func productGrid(columns: Int) -> (Int, Int) {
        (
            groups(of: columns, TrainingKernels.productColumns),
            groups(of: rows, TrainingKernels.productRows)
        )
    }

    /// Blocks of the gradient of a matrix.
    func weightParts(_ out: Int, _ input: Int) -> Int {
        groups(of: out, TrainingKernels.productRows)
            * groups(of: input, TrainingKernels.productColumns)
    }

    /// Blocks of the gradients of a layer's matrices.
    var layerWeightParts: Int {
        weightParts(3 * width, width) + weightParts(width, width)
            + weightParts(4 * width, width) + weightParts(width, 4 * width)
    }

    private func parts(_ count: Int, of size: Int, most: Int) -> Int {
        max(1, min(most, count / size))
    }
}

extension KernelShape {
    /// Why the training kernels cannot compute such a model, or nil.
    var trainingProblem: String? {
        let width = configuration.embeddingWidth
        let head = width / max(configuration.headCount, 1)
        if width % 16 != 0 || width > 512 {
            return "its width is \(width); a card trains multiples of 16 up to 512"
        }
        if head % 8 != 0 || head > 64 {
            return
                "its attention heads have \(head) channels; a card trains multiples of 8 up to 64"
        }
        if configuration.vocabularySize > 360 {
            return "it has \(configuration.binCount) bins; a card trains up to 359"
        }
        if configuration.layout.transitionDimension + configuration.goalDimension > 65535 {
            return "its transitions have too many dimensions for a card"
        }
        return nil
    }
}
