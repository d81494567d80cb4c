import Policies
import Layers
import RandomNumbers
import Tensors
import Trajectories

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Trains a policy whose mean action is tanh of a perceptron's output, scaled to the limits.
final class PolicyTrainer {
    private let trainer: NetworkTrainer
    private let normalization: Normalization
    private let layout: TransitionLayout
    private let goalColumns: [Int]
    private let limits: [ClosedRange<Double>]
    private let units: ActionUnits
    /// Actions of the batch, in units in which the limits are -1 and 1.
    private let actions: Matrix
    private let owned: FloatStorage
    private let rows: Int

    /// Bounds of the deviations' logarithms, those of the authors of implicit Q-learning.
    private static let logDeviations: ClosedRange<Float> = -5...2

    /// A policy over observations, and perhaps goals behind them, normalized so; its network is
    /// drawn with `generator`.
    init(
        layout: TransitionLayout, goalColumns: [Int] = [], limits: [ClosedRange<Double>],
        normalization: Normalization, settings: LearningSettings, pool: WorkerPool,
        using generator: inout SplitMix64
    ) {
        self.layout = layout
        self.goalColumns = goalColumns
        self.limits = limits
        units = ActionUnits(limits)
        self.normalization = normalization
        rows = settings.batchSize
        let network = Network(
            name: "policy",
            sizes: [normalization.mean.count] + settings.hiddenSizes
                + [layout.actionDimension], vector: "log_deviation")
        network.initialize(using: &generator)
        trainer = NetworkTrainer(
            network, rows: rows, settings: settings.optimizer, pool: pool)
        owned = FloatStorage(count: rows * layout.actionDimension)
        actions = owned.matrix(columns: layout.actionDimension)
    }

    /// Takes the actions of `rows`, of an array of whole actions.
    func take(_ rows: [Int], of actions: [Float]) {
        for (place, row) in rows.enumerated() {
            for column in limits.indices {
                self.actions[place, column] = units.apply(
                    actions[row * layout.actionDimension + column], column: column)
            }
        }
    }

    /// One step towards the actions taken, in squared error.
    func imitate(_ observations: Matrix, rate: Double) -> Double {
        trainer.step(input: observations, rate: rate) {
            Losses.squaredActions($0, actions: actions, count: rows)
        }
    }

    /// One step towards the actions taken, by weighted likelihood.
    func regress(_ observations: Matrix, weights: FloatStorage, rate: Double) -> Double {
        let network = trainer.pass.network
        let loss = trainer.step(input: observations, rate: rate) {
            Losses.weightedLikelihood(
                $0, actions: actions, weights: weights, network: network, count: rows)
        }
        if let slot = network.vector {
            let values = network.parameters.values
            for index in slot.range {
                values[index] = min(
                    max(values[index], Self.logDeviations.lowerBound),
                    Self.logDeviations.upperBound)
            }
        }
        return loss
    }

    /// What learns.
    var network: Network { trainer.pass.network }

    /// The policy as it stands: the mean action.
    var policy: NeuralPolicy {
        let network = trainer.pass.network
        let values = network.parameters.values
        let layers = (0..<(network.perceptron.sizes.count - 1)).map { index in
            func numbers(_ kind: String) -> [Float] {
                network.layout.entry(named: "policy.\(index).\(kind)")
                    .map { values.values(in: $0.slot.range) } ?? []
            }
            return NeuralPolicy.Layer(weights: numbers("weight"), biases: numbers("bias"))
        }
        return NeuralPolicy(
            layout: layout, goalColumns: goalColumns, actionLimits: limits,
            mean: normalization.mean,
            deviation: normalization.deviation, layers: layers)
    }
}
