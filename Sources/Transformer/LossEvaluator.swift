package import Layers
package import Tensors
public import Tokenization
internal import Trajectories

/// The weighted cross entropy of a batch and its gradient, computed by all workers side by side.
///
///     loss = 1/(B T) Σ mask * w[dimension of the target] * CE
///
/// Each worker takes a slice of the batch and passes through it a few sequences at a time, forward
/// and backward, adding to gradients of its own; these meet once, at the end. The same batch, stream
/// and worker count give the same result bit for bit.
public final class LossEvaluator {
    /// The model whose parameters are read.
    public let model: TrajectoryTransformer
    /// The gradient of the last batch, in the layout of the parameters.
    package var gradients: FloatStorage { workers[0].gradients }

    /// One worker's memory.
    private final class Worker {
        let workspace: TransformerWorkspace
        let gradients: FloatStorage
        var loss = 0.0

        init(_ model: TrajectoryTransformer, sequences: Int, length: Int) {
            workspace = TransformerWorkspace(
                model.configuration, attention: model.attention, sequences: sequences,
                length: length)
            gradients = FloatStorage(count: model.parameterCount)
        }
    }

    private let pool: WorkerPool
    private let workers: [Worker]
    private let length: Int
    /// Times what is outside the workers' passes; nil while nobody asks.
    private var clock: LapClock?

    /// Prepares for batches of windows of `length` tokens.
    ///
    /// Computes with `workers` threads, nil meaning one for each core, each of which passes
    /// `sequencesPerPass` windows through the model together.
    public init(
        _ model: TrajectoryTransformer, length: Int, workers: Int? = nil,
        sequencesPerPass: Int = 4
    ) {
        self.model = model
        self.length = length
        let pool = workers.map { WorkerPool(count: $0) } ?? WorkerPool.shared
        self.pool = pool
        self.workers = (0..<pool.count).map { _ in
            Worker(model, sequences: sequencesPerPass, length: length)
        }
    }

    /// The loss of a batch, without dropout and without gradients.
    public func loss(_ batch: TokenBatch) -> Double {
        evaluate(batch, dropout: .none, backward: false)
    }

    /// The loss of a batch; afterwards ``gradient(named:)`` holds its gradient.
    ///
    /// Which elements dropout zeroes depends on `dropoutStream` alone; nil means no dropout.
    public func lossAndGradient(_ batch: TokenBatch, dropoutStream: UInt64?) -> Double {
        let plan =
            dropoutStream.map { DropoutPlan(configuration: model.configuration, stream: $0) }
            ?? .none
        let loss = evaluate(batch, dropout: plan, backward: true)
        timed(.reduction) { Gradients.reduce(workers.map(\.gradients), pool: pool) }
        return loss
    }

    /// The gradient of a parameter after ``lossAndGradient(_:dropoutStream:)``.
    public func gradient(named name: String) -> [Float]? {
        model.parameters.layout.entry(named: name).map {
            gradients.values(in: $0.slot.range)
        }
    }

    /// One AdamW update of the model with the last gradient, clipped to `gradientLimit`.
    ///
    /// - Returns: The norm of the gradient before clipping.
    package func update(with optimizer: inout AdamW, rate: Float, gradientLimit: Float) -> Float {
        let norm = timed(.reduction) { Gradients.norm(gradients, pool: pool) }
        timed(.optimizer) {
            optimizer.update(
                model.weights.values, gradients: gradients,
                gradientScale: Gradients.clippingFactor(norm: norm, limit: gradientLimit),
                rate: rate, pool: pool)
            model.weights.pack(pool: pool)
        }
        return norm
    }

    /// Where time went since ``isProfiling`` was set.
    public var profile: StepProfile {
        var profile = StepProfile()
        for worker in workers {
            if let clock = worker.workspace.clock { profile += clock.profile }
        }
        if let clock { profile += clock.profile }
        return profile
    }

    /// Whether the parts of a step are timed; setting it starts anew.
    public var isProfiling: Bool {
        get { clock != nil }
        set {
            clock = newValue ? LapClock() : nil
            for worker in workers { worker.workspace.clock = newValue ? LapClock() : nil }
        }
    }

    /// Runs `body`, in which all workers take part.
    private func timed<Result>(_ part: StepProfile.Part, _ body: () -> Result) -> Result {
        clock?.start()
        let result = body()
        clock?.lap(part, workers: workers.count)
        return result
    }

    private func evaluate(_ batch: TokenBatch, dropout: DropoutPlan, backward: Bool) -> Double {
        precondition(
            batch.length == length,
            "a batch of \(batch.length)-token windows does not fit an evaluator for \(length)")
        pool.run { index in
            let worker = workers[index]
            worker.loss = 0
            worker.workspace.clock?.start()
            if backward { worker.gradients.clear() }
            worker.workspace.lap(.other)
            let share = pool.share(of: batch.rows, worker: index)
            for start in stride(
                from: share.lowerBound, to: share.upperBound, by: worker.workspace.sequences)
            {
                let end = min(start + worker.workspace.sequences, share.upperBound)
                worker.loss += pass(worker, batch, start..<end, dropout, backward)
            }
        }
        return workers.reduce(0) { $0 + $1.loss } / Double(batch.rows * length)
    }

    /// One pass of one worker; returns the sum of its weighted cross entropies.
    private func pass(
        _ worker: Worker, _ batch: TokenBatch, _ sequences: Range<Int>, _ dropout: DropoutPlan,
        _ backward: Bool
    ) -> Double {
        let workspace = worker.workspace
        model.forward(workspace, batch, sequences: sequences, dropout: dropout)
        model.computeLogits(workspace, sequences: sequences.count)
        let dimension = model.configuration.layout.transitionDimension
        let divisor = Float(batch.rows * length)
        let rows = sequences.count * length
        for (index, sequence) in sequences.enumerated() {
            let places = workspace.destination.base + workspace.rows(ofTokens: index).lowerBound
            for position in 0..<length {
                let target = Int(places[position])
                let weight = model.configuration.lossWeight(
                    ofDimension: (position + 1) % dimension)
                workspace.targets.base[target] = batch.targets[sequence * length + position]
                workspace.weights.base[target] =
                    batch.mask[sequence * length + position] == 0 ? 0 : weight / divisor
            }
        }
        CrossEntropy.forwardBackward(
            logits: workspace.logits.rows(0..<rows), targets: workspace.targets.base,
            weights: workspace.weights.base, entropy: workspace.entropies.base)
        var loss = 0.0
        for row in 0..<rows {
            loss += Double(workspace.weights.base[row] * divisor * workspace.entropies.base[row])
        }
        workspace.lap(.loss)
        if backward {
            model.backward(
                workspace, gradients: worker.gradients, sequences: sequences, dropout: dropout)
        }
        return loss
    }
}
