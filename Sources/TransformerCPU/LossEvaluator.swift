import Layers
import Tensors
import Tokenization
import Transformer

/// The weighted cross entropy of a batch and its gradient, computed by all workers side by side.
///
///     loss = 1/(B T) Σ mask * w[dimension of the target] * CE
///
/// Each worker takes a slice of the batch and passes through it a few sequences at a time, forward
/// and backward, adding to gradients of its own; these meet once, at the end. The same batch,
/// stream and worker count give the same result bit for bit.
final class LossEvaluator {
    /// The gradient of the last batch, in the layout of the parameters.
    var gradients: FloatStorage { workers[0].gradients }

    /// One worker's memory.
    private final class Worker {
        let workspace: TransformerWorkspace
        let gradients: FloatStorage
        var loss = 0.0

        init(_ model: CPUTransformer, sequences: Int, length: Int) {
            workspace = TransformerWorkspace(
                model.configuration, attention: model.attention, sequences: sequences,
                length: length)
            gradients = FloatStorage(count: model.weights.values.count)
        }
    }

    private let model: CPUTransformer
    private let pool: WorkerPool
    private let workers: [Worker]
    private let length: Int
    /// Times what is outside the workers' passes; nil while nobody asks.
    private var clock: LapClock<StepProfile.Part>?

    /// Prepares for batches of windows of `length` tokens, of which each worker passes
    /// `sequencesPerPass` through the model together.
    init(_ model: CPUTransformer, length: Int, pool: WorkerPool, sequencesPerPass: Int) {
        self.model = model
        self.length = length
        self.pool = pool
        workers = (0..<pool.count).map { _ in
            Worker(model, sequences: sequencesPerPass, length: length)
        }
    }

    /// The loss of a batch; with `backward`, ``gradients`` hold its gradient afterwards.
    func loss(_ batch: TokenBatch, dropout: DropoutPlan, backward: Bool) -> Double {
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
        if backward {
            timed(.reduction) { Gradients.reduce(workers.map(\.gradients), pool: pool) }
        }
        return workers.reduce(0) { $0 + $1.loss } / Double(batch.totalRows * length)
    }

    /// Where time went since ``isProfiling`` was set.
    var profile: StepProfile {
        var profile = StepProfile()
        for worker in workers {
            if let clock = worker.workspace.clock { profile += clock }
        }
        if let clock { profile += clock }
        return profile
    }

    /// Whether the parts of a step are timed; setting it starts anew.
    var isProfiling: Bool {
        get { clock != nil }
        set {
            clock = newValue ? LapClock() : nil
            for worker in workers { worker.workspace.clock = newValue ? LapClock() : nil }
        }
    }

    /// Runs `body`, in which all workers take part, and counts its time as `part`.
    func timed<Result>(_ part: StepProfile.Part, _ body: () -> Result) -> Result {
        clock?.start()
        let result = body()
        clock?.lap(part, workers: workers.count)
        return result
    }

    /// One pass of one worker; returns the sum of its weighted cross entropies.
    private func pass(
        _ worker: Worker, _ batch: TokenBatch, _ rows: Range<Int>, _ dropout: DropoutPlan,
        _ backward: Bool
    ) -> Double {
        let workspace = worker.workspace
        workspace.load(batch, sequences: rows)
        // Dropout counts the rows of the global batch.
        let sequences = (batch.firstRow + rows.lowerBound)..<(batch.firstRow + rows.upperBound)
        model.forward(workspace, sequences: sequences, dropout: dropout)
        model.computeLogits(workspace, sequences: sequences.count)
        let loss = workspace.crossEntropy(of: batch, sequences: sequences.count)
        workspace.lap(.loss)
        if backward {
            model.backward(
                workspace, gradients: worker.gradients, sequences: sequences, dropout: dropout)
        }
        return loss
    }
}
