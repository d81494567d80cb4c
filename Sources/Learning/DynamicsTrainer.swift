import Layers
import RandomNumbers
import Tensors
public import Trajectories

/// Trains a ``DynamicsEnsemble``.
///
/// Each network draws its batches from a resampling of the transitions of its own. The same data
/// and settings give the same ensemble, whatever the number of threads.
public struct DynamicsTrainer: Sendable {
    /// What can be chosen.
    public struct Settings: Sendable, Hashable {
        /// Number of networks.
        public var members = 5
        /// How each network is trained; its seed also fixes the resampling.
        public var learning: LearningSettings
        /// What of the observations the networks do not see; nil where they see all.
        ///
        /// A hidden number is given as the mean of its dimension, beside a mark that it is hidden,
        /// and is not learnt from as what follows.
        public var hiding: Hiding?

        /// The defaults, near those of Chua and others, 2018.
        public init() {
            learning = LearningSettings()
            learning.hiddenSizes = [200, 200, 200]
            learning.steps = 20_000
            learning.learningRate = 1e-3
            learning.weightDecay = 1e-4
        }
    }

    /// The settings.
    public let settings: Settings
    /// Pairs of neighbouring rows that are learnt from.
    public let count: Int

    private let layout: TransitionLayout
    /// Observations and actions, and how observations changed, row after row.
    private let inputs, changes: [Float]
    private let scaling: DynamicsEnsemble.Scaling

    /// Prepares the pairs of neighbouring rows of all episodes, which are of one layout.
    ///
    /// - Throws: ``LearningError`` when there are none or a setting has no meaning.
    public init(_ trajectories: [Trajectory], settings: Settings = Settings())
        throws(LearningError)
    {
        try settings.learning.validate()
        guard 1...1000 ~= settings.members else {
            throw LearningError(
                .invalidSetting, "\(settings.members) networks", "give a number from 1 to 1000")
        }
        guard let layout = trajectories.first(where: { $0.count > 1 })?.layout else {
            throw LearningError(.noData, "the dataset", "no episode has two transitions or more")
        }
        if let problem = settings.hiding?.problem {
            throw LearningError(.invalidSetting, "hiding", problem)
        }
        let width = layout.observationDimension
        let inputWidth = DynamicsEnsemble.inputWidth(layout, hides: settings.hiding != nil)
        try settings.learning.requireMemory(
            networks: settings.members, inputs: inputWidth, outputs: 2 * width)
        self.settings = settings
        self.layout = layout
        var inputs: [Float] = []
        var changes: [Float] = []
        let seen = SeenObservations(trajectories, width: width, hiding: settings.hiding)
        var first = 0
        for trajectory in trajectories {
            for row in 0..<max(0, trajectory.count - 1) {
                let (present, next) = (
                    seen.row(row, of: trajectory, from: first),
                    seen.row(row + 1, of: trajectory, from: first)
                )
                inputs += present.values
                inputs += trajectory.action(row)
                if settings.hiding != nil { inputs += present.isHidden.map { $0 ? 1 : 0 } }
                changes += (0..<width).map {
                    next.isHidden[$0] ? .nan : next.values[$0] - present.values[$0]
                }
            }
            first += trajectory.count
        }
        count = changes.count / width
        self.inputs = inputs
        self.changes = changes
        scaling = DynamicsEnsemble.Scaling(
            inputs: Normalization(of: inputs, width: inputWidth),
            changes: Normalization(ofKnown: changes, width: width))
    }

    /// Trains all networks, side by side.
    ///
    /// The loss that is reported is the networks' mean negative log-likelihood of a dimension of
    /// the standardized change, up to a constant.
    ///
    /// - Parameters:
    ///   - report: Given all reports.
    ///   - isStopped: Asked after each step; where it says so, learning ends there.
    /// - Returns: The ensemble, and the last report.
    /// - Throws: ``LearningError`` when learning diverges.
    public func train(
        report: (LearningProgress) -> Void = { _ in }, until isStopped: () -> Bool = { false }
    ) throws(LearningError) -> (ensemble: DynamicsEnsemble, last: LearningProgress) {
        let runs = (0..<settings.members).map { Run(self, member: $0) }
        let pool = settings.learning.pool
        let last = try LearningProgress.run(
            steps: settings.learning.steps, names: ["dynamics"], seed: settings.learning.seed,
            until: isStopped, report: report
        ) { _ in
            pool.run { worker in
                for run in stride(from: worker, to: runs.count, by: pool.count) {
                    runs[run].step()
                }
            }
            return [runs.reduce(0) { $0 + $1.loss } / Double(runs.count)]
        }
        try Network.requireFinite(
            runs.map(\.network), after: last.step, seed: settings.learning.seed)
        let ensemble = DynamicsEnsemble(
            layout: layout, members: runs.map { DynamicsNetwork($0.network) }, scaling: scaling,
            hidden: settings.hiding?.probability ?? 0)
        return (ensemble, last)
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
        /// The loss of the last batch.
        private(set) var loss = 0.0

        init(_ trainer: DynamicsTrainer, member index: Int) {
            self.trainer = trainer
            let (learning, rows) = (trainer.settings.learning, trainer.settings.learning.batchSize)
            let widths = [trainer.scaling.inputs, trainer.scaling.changes].map(\.mean.count)
            var generator = SplitMix64(seed: learning.seed &+ UInt64(index) &* 0x5851_F42D)
            let network = Network(
                name: DynamicsEnsemble.name(ofMember: index),
                sizes: [widths[0]] + learning.hiddenSizes + [2 * widths[1]])
            network.initialize(using: &generator)
            training = NetworkTrainer(
                network, rows: rows, settings: learning.optimizer, pool: WorkerPool(count: 1))
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
            loss = training.step(input: input, rate: trainer.settings.learning.learningRate) {
                DynamicsNetwork.loss($0, targets: target, count: rows.count)
            }
        }
    }
}
