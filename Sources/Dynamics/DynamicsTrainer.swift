internal import Foundation
internal import RandomNumbers
internal import Tensors
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
    /// Standardized inputs and changes, row after row.
    private let inputs: [Float]
    private let changes: [Float]
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
        let width = layout.observationDimension + layout.actionDimension
        let input = Self.standardize(&inputs, width: width)
        let change = Self.standardize(&changes, width: layout.observationDimension)
        self.inputs = inputs
        self.changes = changes
        scaling = DynamicsEnsemble.Scaling(
            inputMean: input.mean, inputDeviation: input.deviation, changeMean: change.mean,
            changeDeviation: change.deviation)
    }

    /// Brings every column to mean 0 and deviation 1, constant ones to 0.
    private static func standardize(_ values: inout [Float], width: Int) -> (
        mean: [Float], deviation: [Float]
    ) {
        let rows = Double(values.count / width)
        var mean = [Double](repeating: 0, count: width)
        for (index, value) in values.enumerated() { mean[index % width] += Double(value) / rows }
        var variance = [Double](repeating: 0, count: width)
        for (index, value) in values.enumerated() {
            let difference = Double(value) - mean[index % width]
            variance[index % width] += difference * difference / rows
        }
        let deviation = variance.map { $0 > 1e-12 ? Float($0.squareRoot()) : 1 }
        for index in values.indices {
            let column = index % width
            values[index] = (values[index] - Float(mean[column])) / deviation[column]
        }
        return (mean.map { Float($0) }, deviation)
    }

    /// Trains all networks, side by side.
    ///
    /// `progress` is called about every `interval` steps.
    public func train(every interval: Int = 500, progress: (Progress) -> Void = { _ in })
        -> DynamicsEnsemble
    {
        let width = layout.observationDimension + layout.actionDimension
        let runs = (0..<settings.members).map { Run(self, member: $0, inputs: width) }
        let pool = WorkerPool.shared
        var done = 0
        while done < settings.steps {
            let steps = min(interval, settings.steps - done)
            pool.run { worker in
                for run in stride(from: worker, to: runs.count, by: pool.count) {
                    for _ in 0..<steps { runs[run].step(self) }
                }
            }
            done += steps
            let loss = runs.reduce(0) { $0 + $1.takeLoss() / Double(steps) }
            progress(Progress(step: done, loss: loss / Double(runs.count)))
        }
        return DynamicsEnsemble(
            layout: layout, hidden: settings.hidden, members: runs.map(\.member), scaling: scaling)
    }

    /// One network's training; touched by one thread at a time.
    private final class Run: @unchecked Sendable {
        let member: DynamicsMember
        private let training: DynamicsMember.Training
        private let sample: [Int32]
        private var generator: SplitMix64
        private var loss = 0.0

        init(_ trainer: DynamicsTrainer, member index: Int, inputs: Int) {
            let settings = trainer.settings
            var generator = SplitMix64(seed: settings.seed &+ UInt64(index) &* 0x5851_F42D)
            member = DynamicsMember(
                inputs: inputs, dimension: trainer.layout.observationDimension,
                hidden: settings.hidden, seed: generator.next())
            training = DynamicsMember.Training(
                member, rows: settings.batchSize, weightDecay: Float(settings.weightDecay))
            sample = (0..<trainer.count).map { _ in
                Int32(generator.next() % UInt64(trainer.count))
            }
            self.generator = generator
        }

        func step(_ trainer: DynamicsTrainer) {
            for row in 0..<training.input.rows {
                let index = Int(sample[Int(generator.next() % UInt64(sample.count))])
                trainer.copyRow(index, to: row, training)
            }
            loss += member.train(training, rate: Float(trainer.settings.learningRate))
        }

        func takeLoss() -> Double {
            defer { loss = 0 }
            return loss
        }
    }

    private func copyRow(_ index: Int, to row: Int, _ training: DynamicsMember.Training) {
        let (input, target) = (training.input, training.target)
        for column in 0..<input.columns {
            input.base[row * input.stride + column] = inputs[index * input.columns + column]
        }
        for column in 0..<target.columns {
            target.base[row * target.stride + column] = changes[index * target.columns + column]
        }
    }
}
