import Layers
import Tensors
public import Tokenization
public import Transformer

/// A model that learns on the processor's cores.
///
/// The same model, batches, streams and number of workers give the same parameters bit for bit.
public final class CPUTrainingEngine: TrainingEngine {
    private let model: CPUTransformer
    private let options: TrainingEngineOptions
    private let evaluator: LossEvaluator
    private let pool: WorkerPool
    private let name: String
    private var optimizer: AdamW
    /// What the blocks' matrices learn by, if not by AdamW.
    private let muon: Muon?
    private var latest = StepSummary()

    init(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions, pool: WorkerPool,
        factors: Factors,
        sequencesPerPass: Int, name: String
    ) throws(EngineError) {
        guard 1...model.configuration.contextLength ~= options.windowLength else {
            throw EngineError(
                code: .mismatch, engine: name,
                detail: "windows of \(options.windowLength) tokens do not fit a model that sees "
                    + "\(model.configuration.contextLength)")
        }
        if let problem = options.muon?.problem {
            throw EngineError(code: .unsupported, engine: name, detail: problem)
        }
        self.model = CPUTransformer(model, factors: factors)
        self.options = options
        self.pool = pool
        self.name = name
        evaluator = LossEvaluator(
            self.model, length: options.windowLength, pool: pool,
            sequencesPerPass: sequencesPerPass)
        var settings = AdamW.Settings()
        settings.beta1 = options.beta1
        settings.beta2 = options.beta2
        settings.epsilon = options.epsilon
        settings.weightDecay = options.weightDecay
        let matrices = options.muon == nil ? [] : model.parameters.blockMatrices
        optimizer = AdamW(model.parameters.layout, settings: settings, leaving: matrices)
        muon = options.muon.map { muon in
            var settings = Muon.Settings()
            settings.momentum = muon.momentum
            settings.rateRatio = muon.rateRatio
            settings.weightDecay = options.weightDecay
            settings.iterations = MuonOptions.iterations
            let (a, b, c) = MuonOptions.coefficients
            settings.coefficients = [a, b, c]
            return Muon(matrices, settings: settings, workers: pool.count)
        }
    }

    /// The loss of a batch without dropout; nothing is learnt.
    public func loss(_ batch: TokenBatch) throws(EngineError) -> Double {
        try requireMatch(batch)
        return evaluator.loss(batch, dropout: .none, backward: false)
    }

    /// The loss of a batch, and its gradient for ``gradient()``; nothing is learnt.
    public func lossAndGradient(
        _ batch: TokenBatch, dropoutStream: UInt64?
    ) throws(EngineError) -> Double {
        try requireMatch(batch)
        let plan =
            dropoutStream.map { DropoutPlan(configuration: model.configuration, stream: $0) }
            ?? .none
        return evaluator.loss(batch, dropout: plan, backward: true)
    }

    /// The last gradient, one number for each parameter.
    public func gradient() -> [Float] { evaluator.gradients.values }

    /// Steps are done when they return.
    public var finishesSteps: Bool { true }

    /// One step: forward, backward, the exchange, clipping, the optimizer; done when it returns.
    public func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
    ) throws(EngineError) {
        let loss = try lossAndGradient(batch, dropoutStream: dropoutStream)
        let gradients = evaluator.gradients
        if let exchange { try gradients.withMutableSpan(exchange) }
        let norm = evaluator.timed(.reduction) { Gradients.norm(gradients, pool: pool) }
        evaluator.timed(.optimizer) {
            let (values, scale) = (
                model.weights.values,
                Gradients.clippingFactor(norm: norm, limit: options.gradientLimit)
            )
            muon?.update(
                values, gradients: gradients, momentum: optimizer.firstMoment,
                gradientScale: scale, rate: Float(rate), pool: pool)
            optimizer.update(
                values, gradients: gradients, gradientScale: scale, rate: Float(rate), pool: pool)
            model.weights.pack(pool: pool)
        }
        if !loss.isFinite, latest.finiteSteps == nil { latest.finiteSteps = latest.steps }
        latest.steps += 1
        latest.lossSum += loss
        latest.lastLoss = loss
        latest.lastGradientNorm = Double(norm)
    }

    /// What the steps since the last call brought.
    public func summary() -> StepSummary {
        let summary = latest
        latest.steps = 0
        latest.lossSum = 0
        latest.finiteSteps = nil
        return summary
    }

    /// The parameters and the optimizer's state.
    public func state() -> EngineState {
        EngineState(
            parameters: model.weights.values.values, firstMoment: optimizer.firstMoment.values,
            secondMoment: optimizer.secondMoment.values, updates: optimizer.step)
    }

    /// Goes on from another state of the same model.
    public func restore(_ state: EngineState) throws(EngineError) {
        let count = model.weights.values.count
        for (part, numbers) in [
            ("parameters", state.parameters), ("first moments", state.firstMoment),
            ("second moments", state.secondMoment),
        ] where numbers.count != count {
            throw EngineError(
                code: .mismatch, engine: name,
                detail: "a state of \(numbers.count) \(part) is not of a model of \(count) "
                    + "parameters")
        }
        model.weights.values.write(state.parameters)
        model.weights.pack(pool: pool)
        optimizer.firstMoment.write(state.firstMoment)
        optimizer.secondMoment.write(state.secondMoment)
        optimizer.step = state.updates
    }

    /// Whether the parts of steps are timed; setting it starts anew.
    public var isProfiling: Bool {
        get { evaluator.isProfiling }
        set { evaluator.isProfiling = newValue }
    }

    /// Where time went since ``isProfiling`` was set.
    public var profile: StepProfile { evaluator.profile }

    private func requireMatch(_ batch: TokenBatch) throws(EngineError) {
        if let problem = batch.problem(
            for: model.configuration, windowLength: options.windowLength)
        {
            throw EngineError(code: .mismatch, engine: name, detail: problem)
        }
    }
}
