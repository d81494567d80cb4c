import Layers
import RandomNumbers
import Tensors
public import Trajectories

/// Trains a ``DynamicsEnsemble``.
///
/// Each network draws its batches from a resampling of the transitions of its own. The same data and
/// settings give the same ensemble, whatever the number of threads.
public struct DynamicsTrainer: Sendable {
    /// What can be chosen.
    public struct Settings: Sendable, Hashable, Codable {
        /// Number of networks.
        public var members = 5
        /// Sizes of the hidden layers.
        public var hidden = [200, 200, 200]
        /// Steps of each network.
        public var steps = 20_000
        /// Transitions in a batch.
        public var batchSize = 256
        /// The learning rate.
        public var learningRate = 1e-3
        /// AdamW's decay of the weight matrices.
        public var weightDecay = 1e-4
        /// Fixes weights, resampling and batches.
        public var seed: UInt64 = 0

        /// The defaults, near those of Chua and others, 2018.
        public init() {}
    }

    /// Where training stands.
    public struct Progress: Sendable {
        /// Steps done.
        public let step: Int
        /// Mean loss of the networks over the last steps: negative log-likelihood of a dimension of the
        /// standardized change, up to a constant.
        public let loss: Double
    }

    private let settings: Settings
    private let layout: TransitionLayout
    /// Observations and actions, and how observations changed, row after row.
    private let inputs, changes: [Float]
    private let scaling: DynamicsEnsemble.Scaling
    private let count: Int

    /// Prepares the pairs of neighbouring rows of all episodes; nil where there are none.
    public init?(_ trajectories: [Trajectory], settings: Settings) {
        guard let layout = trajectories.first?.layout else { return nil }
        self.settings = settings
        self.layout = layout
        var inputs: [Float] = []
        var changes: [Float] = []
        for trajectory in trajectories where trajectory.count > 1 {
            for row in 0..<(trajectory.count - 1) {
                let present = trajectory.observation(row)
                inputs += present
                inputs += trajectory.action(row)
                changes += zip(trajectory.observation(row + 1), present).map { $0 - $1 }
            }
        }
        count = changes.count / layout.observationDimension
        guard count > 0 else { return nil }
        self.inputs = inputs
        self.changes = changes
        scaling = DynamicsEnsemble.Scaling(
            inputs: Normalization(
                of: inputs, width: layout.observationDimension + layout.actionDimension),
            changes: Normalization(of: changes, width: layout.observationDimension))
    }

    /// Trains all networks, side by side.
    ///
    /// `progress` is called about every `interval` steps.
    public func train(every interval: Int = 500, progress: (Progress) -> Void = { _ in })
        -> DynamicsEnsemble
    {
        let runs = (0..<settings.members).map { Run(self, member: $0) }
        let pool = WorkerPool.shared
        var done = 0
        while done < settings.steps {
            let steps = min(interval, settings.steps - done)
            pool.run { worker in
                for run in stride(from: worker, to: runs.count, by: pool.count) {
                    for _ in 0..<steps { runs[run].step() }
                }
            }
            done += steps
            let loss = runs.reduce(0) { $0 + $1.takeLoss() / Double(steps) }
            progress(Progress(step: done, loss: loss / Double(runs.count)))
        }
        return DynamicsEnsemble(
            layout: layout, members: runs.map { DynamicsNetwork($0.network) }, scaling: scaling)
    }

    /// One network's training; touched by one thread at a time.
    private final class Run: @unchecked Sendable {
        var network: Network { training.pass.network }
        private let trainer: DynamicsTrainer
        private let training: NetworkTrainer
        /// The rows that this network learns from.
        private let sample: [Int32]
        private var sampler: MinibatchSampler
        private let input, target: Matrix
        private let owned: [FloatStorage]
        private var loss = 0.0

        init(_ trainer: DynamicsTrainer, member index: Int) {
            self.trainer = trainer
            let (settings, rows) = (trainer.settings, trainer.settings.batchSize)
            let widths = [trainer.scaling.inputs, trainer.scaling.changes].map(\.mean.count)
            var generator = SplitMix64(seed: settings.seed &+ UInt64(index) &* 0x5851_F42D)
            let network = Network(
                name: DynamicsEnsemble.name(ofMember: index),
                sizes: [widths[0]] + settings.hidden + [2 * widths[1]])
            network.initialize(using: &generator)
            var optimizer = AdamW.Settings()
            optimizer.beta2 = 0.999
            optimizer.weightDecay = Float(settings.weightDecay)
            training = NetworkTrainer(
                network, rows: rows, settings: optimizer, pool: WorkerPool(count: 1))
            sample = (0..<trainer.count).map { _ in
                Int32(generator.next() % UInt64(trainer.count))
            }
            sampler = MinibatchSampler(rowCount: sample.count, size: rows, generator: generator)
            owned = widths.map { FloatStorage(count: rows * $0) }
            (input, target) = (
                owned[0].matrix(columns: widths[0]), owned[1].matrix(columns: widths[1])
            )
        }

        func step() {
            let rows = sampler.next().map { Int(sample[$0]) }
            trainer.scaling.inputs.copy(rows, of: trainer.inputs, to: input)
            trainer.scaling.changes.copy(rows, of: trainer.changes, to: target)
            loss += training.step(input: input, rate: trainer.settings.learningRate) {
                DynamicsNetwork.loss($0, targets: target, count: rows.count)
            }
        }

        func takeLoss() -> Double {
            defer { loss = 0 }
            return loss
        }
    }
}
