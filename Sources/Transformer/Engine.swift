public import Bounds
public import Tokenization
import Trajectories

/// What computes a model: the seam between a model's values and the machine that trains and
/// searches with them.
///
/// Tokens go in, losses and logits come out; how a layer is computed, and in what order, is the
/// engine's matter alone. Decision 0008.
public protocol Engine: Sendable {
    /// For people: the device, and what is particular about its arithmetic ("cpu, 2 workers").
    var name: String { get }

    /// An engine-side copy of a model that learns; `model` stays as it is.
    ///
    /// - Throws: ``EngineError`` when the device is not there, or cannot hold or compute the model.
    func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine

    /// About how much of this process's memory training such a model will need.
    func trainingMemory(
        _ configuration: TransformerConfiguration, options: TrainingEngineOptions
    ) -> MemoryNeed

    /// A tree of prefixes for one search at a time; what can be shared between the decoders of one
    /// model is.
    ///
    /// - Throws: ``EngineError`` when the device is not there, or cannot hold or compute the model.
    func decoder(_ model: TrajectoryTransformer) throws(EngineError) -> any PrefixTreeModel
}

/// How an engine computes products of matrices.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    /// As exactly as in float; on a card three TF32 products for one.
    case exact
    /// With factors rounded to bfloat16; sums, and all that is not a product, in float. Parameters
    /// and the optimizer's state stay floats.
    case fast
}

extension Engine {
    /// The model, and what a checkpoint of it is made of.
    public func trainingMemory(
        _ configuration: TransformerConfiguration, options: TrainingEngineOptions
    ) -> MemoryNeed {
        configuration.memoryNeed(copies: 6)
    }
}

extension TransformerConfiguration {
    /// Room for `copies` of all parameters.
    package func memoryNeed(copies: Int) -> MemoryNeed {
        var need = MemoryNeed(
            "training this model (\(layerCount) layers of \(embeddingWidth) channels, "
                + "\(contextLength) tokens)")
        let dimension = layout.transitionDimension
        need.add(copies, layerCount, 12, embeddingWidth, embeddingWidth)
        need.add(copies, binCount, dimension + goalDimension, embeddingWidth)
        need.add(copies, contextLength, embeddingWidth)
        need.add(copies, dimension, vocabularySize, embeddingWidth)
        return need
    }
}

/// A model that learns: it owns the parameters, the optimizer's moments and the gradients.
///
/// Loss and gradient are those of
///
///     loss = 1/(B T) Σ mask * w[dimension of the target] * CE
///
/// with B the rows of the global batch (`TokenBatch.totalRows`) and T the tokens of a window, and
/// an update is AdamW's with the gradient clipped to ``TrainingEngineOptions/gradientLimit``.
/// Dropout is decision 0004's. One training engine serves one thread at a time.
public protocol TrainingEngine: AnyObject {
    /// Whether a step is done when ``step(_:rate:dropoutStream:exchange:)`` returns, so that
    /// ``summary()`` after each costs nothing.
    var finishesSteps: Bool { get }

    /// The loss of a batch without dropout; nothing is learnt.
    ///
    /// - Throws: ``EngineError`` when the batch does not fit the model, or the device fails.
    func loss(_ batch: TokenBatch) throws(EngineError) -> Double

    /// The loss of a batch, and its gradient for ``gradient()``; nothing is learnt.
    ///
    /// Which elements dropout zeroes depends on `dropoutStream` alone; nil means no dropout.
    ///
    /// - Throws: ``EngineError`` when the batch does not fit the model, or the device fails.
    func lossAndGradient(_ batch: TokenBatch, dropoutStream: UInt64?) throws(EngineError) -> Double

    /// The last gradient, not clipped: one number for each parameter, in the order of
    /// ``TrajectoryTransformer/values``.
    ///
    /// - Throws: ``EngineError`` when the device fails.
    func gradient() throws(EngineError) -> [Float]

    /// One step: forward, backward, the exchange, clipping, AdamW.
    ///
    /// May return before the device is done; ``summary()`` waits for it.
    ///
    /// - Parameters:
    ///   - batch: What to learn from.
    ///   - rate: The learning rate.
    ///   - dropoutStream: Names the step's dropout; nil means none.
    ///   - exchange: Makes the gradient of the local rows that of the global batch, between
    ///     backward
    ///     pass and clipping; nil where the local rows are all there are.
    /// - Throws: ``EngineError`` when the batch does not fit the model, the device fails, or
    ///   `exchange` throws.
    func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
    ) throws(EngineError)

    /// What the steps since the last call (or the beginning) brought; waits for all of them.
    ///
    /// - Throws: ``EngineError`` when the device failed in one of them.
    func summary() throws(EngineError) -> StepSummary

    /// The parameters and the optimizer's state after all steps so far.
    ///
    /// - Throws: ``EngineError`` when the device fails.
    func state() throws(EngineError) -> EngineState

    /// Goes on from a state that ``state()`` returned, of this or another engine.
    ///
    /// - Throws: ``EngineError`` when it is another model's, or the device fails.
    func restore(_ state: EngineState) throws(EngineError)
}

extension TrainingEngine {
    /// No: the device may still be at work.
    public var finishesSteps: Bool { false }

    /// One step, with all rows of the batch here.
    public func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?
    ) throws(EngineError) {
        try step(batch, rate: rate, dropoutStream: dropoutStream, exchange: nil)
    }
}

/// Adds to a gradient those of the processes that have the other rows of the global batch.
///
/// The gradients of shares already count the whole batch's rows, so their sum is the whole batch's
/// gradient.
public typealias GradientExchange = (inout MutableSpan<Float>) throws(EngineError) -> Void

/// What a training engine needs to know beside the model.
///
/// The defaults are those of the code of Janner et al. 2021.
public struct TrainingEngineOptions: Sendable, Hashable {
    /// Tokens in each window of a batch.
    public var windowLength: Int
    /// AdamW's decay of the first moment.
    public var beta1: Float = 0.9
    /// AdamW's decay of the second moment.
    public var beta2: Float = 0.95
    /// Added to AdamW's denominator.
    public var epsilon: Float = 1e-8
    /// AdamW's decay of the weight matrices.
    public var weightDecay: Float = 0.1
    /// Gradients of a larger norm are scaled down to it.
    public var gradientLimit: Float = 1
    /// How the blocks' matrices learn, if not by AdamW.
    public var muon: MuonOptions?

    /// The defaults, for windows of `windowLength` tokens.
    public init(windowLength: Int) {
        self.windowLength = windowLength
    }
}

/// What some steps of training brought.
public struct StepSummary: Sendable, Hashable {
    /// How many steps.
    public var steps = 0
    /// The sum of their losses, dropout included.
    public var lossSum = 0.0
    /// The loss of the last one; NaN before the first.
    public var lastLoss = Double.nan
    /// Norm of the last gradient before clipping.
    public var lastGradientNorm = 0.0
    /// How many of these steps went before the first whose loss is not finite; nil where all are,
    /// or where the engine knows no more than the sum.
    public var finiteSteps: Int?

    /// No steps.
    public init() {}
}

/// All that a training engine must be given to go on where another stopped.
public struct EngineState: Sendable, Hashable {
    /// The parameters, in the order of ``TrajectoryTransformer/values``.
    public var parameters: [Float]
    /// AdamW's first moments, in the same order.
    public var firstMoment: [Float]
    /// AdamW's second moments, in the same order.
    public var secondMoment: [Float]
    /// Updates done.
    public var updates: Int

    /// Creates a state; see the properties.
    public init(
        parameters: [Float], firstMoment: [Float], secondMoment: [Float], updates: Int
    ) {
        self.parameters = parameters
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
        self.updates = updates
    }
}

/// Why an engine could not compute.
public struct EngineError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The device, its driver or a library that it needs is not there.
        case unavailable
        /// The engine cannot compute this model.
        case unsupported
        /// The device has too little memory.
        case outOfMemory
        /// What was given does not fit the model: a batch, a state.
        case mismatch
        /// The device failed while it computed.
        case failed
        /// The exchange of gradients with other processes failed.
        case exchange
    }
    /// What kind of failure this is.
    public let code: Code
    /// The engine, as ``Engine/name`` has it or shorter.
    public let engine: String
    /// What went wrong and what to do.
    public let detail: String

    /// Creates an error.
    public init(code: Code, engine: String, detail: String) {
        self.code = code
        self.engine = engine
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot compute on \(engine): \(detail)" }
}
