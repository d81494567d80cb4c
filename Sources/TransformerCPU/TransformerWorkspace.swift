import Layers
import Tensors
import Tokenization
import Trajectories
import Transformer

/// What the backward pass of one block needs from its forward pass.
struct BlockActivations {
    let input: Matrix
    let statistics1: LayerNorm.Statistics
    let normalized1: Matrix
    let qkv: Matrix
    let probabilities: FloatStorage
    let probabilitiesPerSequence: Int
    let attended: Matrix
    let middle: Matrix
    let statistics2: LayerNorm.Statistics
    let normalized2: Matrix
    /// The input of the activation function, then its derivative.
    let hidden: Matrix
    let activated: Matrix

    /// The attention of one of the pass's sequences, as a single row.
    func probabilities(ofSequence index: Int) -> Matrix {
        probabilities.matrix(columns: probabilitiesPerSequence).rows(index..<(index + 1))
    }
}

/// The memory of one worker: activations of a few sequences at a time, allocated once.
///
/// A worker passes through its share of a batch a few sequences at a time, so the memory does not
/// depend on the batch.
final class TransformerWorkspace {
    /// Most sequences in one pass.
    let sequences: Int
    /// Tokens in each sequence.
    let length: Int
    /// Goal tokens in front of each sequence.
    let goalLength: Int
    /// Rows of each sequence: its goal, then its tokens.
    var rowsPerSequence: Int { goalLength + length }

    let blocks: [BlockActivations]
    /// The residual stream after the last block.
    let output: Matrix
    let finalStatistics: LayerNorm.Statistics
    /// Normalized outputs, ordered by dimension so that each head reads whole rows.
    let headInput: Matrix
    let logits: Matrix

    /// Row of the embedding table for each token, goals left out.
    let tokens: IndexStorage
    /// Row of the goals' embedding table for each goal token.
    let goalTokens: IndexStorage
    /// Where each row lies in the order by dimension; goals lie behind all tokens.
    let destination: IndexStorage
    /// Targets, in the order by dimension.
    let targets: IndexStorage
    /// Loss weights, in the order by dimension.
    let weights: FloatStorage
    /// Cross entropies, in the order by dimension.
    let entropies: FloatStorage

    /// What a branch adds to the residual stream, and the gradient of its input: of one sequence.
    let branch: Matrix
    /// The gradients of the two branches that join the residual stream.
    let dAttention: Matrix
    let dFeedForward: Matrix
    let scratch: FloatStorage
    let goalScratch: FloatStorage
    let dx: Matrix
    let dNarrow: Matrix
    let dHidden: Matrix
    let dQKV: Matrix

    /// Where time goes; nil while nobody asks.
    var clock: LapClock<StepProfile.Part>?

    private let configuration: TransformerConfiguration
    private let dimension: Int
    private var orderedSequences = 0
    private var owned: [FloatStorage] = []

    init(
        _ configuration: TransformerConfiguration, attention: CausalSelfAttention, sequences: Int,
        length: Int
    ) {
        precondition(
            length <= configuration.contextLength,
            "\(length) tokens for a model that sees \(configuration.contextLength)")
        self.configuration = configuration
        self.sequences = sequences
        self.length = length
        goalLength = configuration.goalDimension
        dimension = configuration.layout.transitionDimension
        let rows = sequences * (goalLength + length)
        let width = configuration.embeddingWidth
        var owned: [FloatStorage] = []
        func matrix(_ columns: Int, rows: Int = rows) -> Matrix {
            let storage = FloatStorage(count: rows * columns)
            owned.append(storage)
            return storage.matrix(columns: columns)
        }
        // Operands of the weight gradients are read column by column: rows a power of two apart
        // would fall into the same few cache lines, which costs a third of the product's speed.
        func padded(_ columns: Int) -> Matrix { matrix(columns + 16).columns(0..<columns) }
        blocks = (0..<configuration.layerCount).map { _ in
            BlockActivations(
                input: matrix(width), statistics1: LayerNorm.Statistics(rows: rows),
                normalized1: padded(width), qkv: padded(3 * width),
                probabilities: FloatStorage(
                    count: sequences * attention.probabilitiesPerSequence),
                probabilitiesPerSequence: attention.probabilitiesPerSequence,
                attended: padded(width), middle: matrix(width),
                statistics2: LayerNorm.Statistics(rows: rows), normalized2: padded(width),
                hidden: padded(4 * width), activated: padded(4 * width))
        }
        output = matrix(width)
        finalStatistics = LayerNorm.Statistics(rows: rows)
        headInput = padded(width)
        let vocabulary = configuration.vocabularySize
        let logits = matrix((vocabulary + 7) / 8 * 8)
        self.logits = logits.columns(0..<vocabulary)
        tokens = IndexStorage(count: sequences * length)
        goalTokens = IndexStorage(count: sequences * goalLength)
        destination = IndexStorage(count: rows)
        targets = IndexStorage(count: rows)
        weights = FloatStorage(count: rows)
        entropies = FloatStorage(count: rows)
        branch = matrix(width, rows: goalLength + length)
        dAttention = padded(width)
        dFeedForward = padded(width)
        scratch = FloatStorage(count: attention.scratchCount)
        goalScratch = FloatStorage(count: goalLength == 0 ? 0 : width)
        dx = matrix(width)
        dNarrow = matrix(width)
        dHidden = padded(4 * width)
        dQKV = padded(3 * width)
        self.owned = owned
    }

    /// The rows of one of the pass's sequences, its goal included.
    func rows(ofSequence index: Int) -> Range<Int> {
        (index * rowsPerSequence)..<((index + 1) * rowsPerSequence)
    }

    /// The rows of a sequence's goal.
    func rows(ofGoal index: Int) -> Range<Int> {
        rows(ofSequence: index).prefix(goalLength)
    }

    /// The rows of a sequence's tokens.
    func rows(ofTokens index: Int) -> Range<Int> {
        rows(ofSequence: index).dropFirst(goalLength)
    }

    /// The rows that predict dimension `(head + 1) mod D`, in the order by dimension.
    func rows(ofHead head: Int, sequences: Int) -> Range<Int> {
        let start = sequences * positionsBefore(head)
        return start..<(start + sequences * positions(ofHead: head))
    }

    /// Attributes the time since the last lap to a part of the step, if anybody asked for that.
    func lap(_ part: StepProfile.Part) {
        clock?.lap(part)
    }

    /// Takes in sequences `sequences` of `batch`: which rows of the tables their tokens are, their
    /// targets, and what these weigh in the loss.
    func load(_ batch: TokenBatch, sequences: Range<Int>) {
        precondition(
            batch.length == length && batch.goalDimension == goalLength,
            "windows of \(batch.length) tokens and goals of \(batch.goalDimension) where "
                + "\(length) and \(goalLength) are expected")
        let firstToken = sequences.lowerBound * length
        for row in 0..<(sequences.count * length) {
            tokens.base[row] = Int32(
                configuration.embeddingRow(
                    token: Int(batch.inputs[firstToken + row]), position: row % length))
        }
        let firstGoal = sequences.lowerBound * goalLength
        for row in 0..<(sequences.count * goalLength) {
            goalTokens.base[row] = Int32(
                configuration.goalEmbeddingRow(
                    token: Int(batch.goals[firstGoal + row]), dimension: row % goalLength))
        }
        order(sequences: sequences.count)
        let divisor = Float(batch.totalRows * length)
        for (index, sequence) in sequences.enumerated() {
            let places = destination.base + rows(ofTokens: index).lowerBound
            for position in 0..<length {
                let target = Int(places[position])
                let weight = configuration.lossWeight(ofDimension: (position + 1) % dimension)
                targets.base[target] = batch.targets[sequence * length + position]
                weights.base[target] =
                    batch.mask[sequence * length + position] == 0 ? 0 : weight / divisor
            }
        }
    }

    /// The cross entropies of the loaded sequences' targets; turns ``logits`` into their gradient.
    ///
    /// - Returns: The sum of the weighted cross entropies, times the global batch's tokens.
    func crossEntropy(of batch: TokenBatch, sequences: Int) -> Double {
        let rows = sequences * length
        CrossEntropy.forwardBackward(
            logits: logits.rows(0..<rows), targets: targets.base, weights: weights.base,
            entropy: entropies.base)
        let divisor = Float(batch.totalRows * length)
        var sum = 0.0
        for row in 0..<rows {
            sum += Double(weights.base[row] * divisor * entropies.base[row])
        }
        return sum
    }

    /// Fills ``destination`` for passes of this many sequences.
    private func order(sequences: Int) {
        guard sequences != orderedSequences else { return }
        orderedSequences = sequences
        for sequence in 0..<sequences {
            for goal in 0..<goalLength {
                destination.base[sequence * rowsPerSequence + goal] = Int32(
                    sequences * length + sequence * goalLength + goal)
            }
            for position in 0..<length {
                let head = position % dimension
                let row =
                    rows(ofHead: head, sequences: sequences).lowerBound
                    + sequence * positions(ofHead: head) + position / dimension
                destination.base[sequence * rowsPerSequence + goalLength + position] = Int32(row)
            }
        }
    }

    private func positions(ofHead head: Int) -> Int {
        head < length ? (length - head - 1) / dimension + 1 : 0
    }

    private func positionsBefore(_ head: Int) -> Int {
        (0..<head).reduce(0) { $0 + positions(ofHead: $1) }
    }
}
