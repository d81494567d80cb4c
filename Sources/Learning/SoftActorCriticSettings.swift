import Bounds
import RandomNumbers

/// The settings of soft actor-critic.
///
/// The defaults are those of Haarnoja et al. 2018, arXiv 1812.05905, table 1.
public struct SoftActorCriticSettings: Sendable, Hashable {
    /// Sizes of the hidden layers of actor and critics.
    public var hiddenSizes = [256, 256]
    /// Transitions of a batch.
    public var batchSize = 256
    /// Adam's learning rate, of actor, critics and temperature; β are 0.9 and 0.999, ε is 1e-8.
    public var learningRate = 3e-4
    /// Weight of a reward one step later (γ).
    public var discount = 0.99
    /// Share of the way that the targets move towards the critics in an update (τ).
    public var targetRate = 0.005
    /// What rewards are multiplied by.
    public var rewardScale = 1.0
    /// Entropy that the temperature strives for; nil for minus the number of action dimensions.
    public var targetEntropy: Double?
    /// Transitions that the memory holds.
    public var capacity = 1_000_000
    /// Environment steps of a round, and updates of it (as many).
    ///
    /// A round's actor is that of its start, and its updates know the memory of its start.
    public var interval = 50
    /// Environments that are acted in at once, `interval / environments` steps each in a round.
    public var environments = 1
    /// First steps, whose actions are uniform and which no update follows.
    public var warmUp = 10_000
    /// Decides on initial weights, batches, noise and starts.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}

    /// The entropy per action that the temperature strives for.
    public func entropyGoal(actionDimension: Int) -> Double {
        targetEntropy ?? -Double(actionDimension)
    }

    /// Checks that the settings can be.
    ///
    /// - Throws: ``LearningError`` with the setting that cannot.
    public func validate() throws(LearningError) {
        let numbers: [(String, Int, Bound)] = [
            ("batch size", batchSize, .batch), ("capacity", capacity, .steps),
            ("interval", interval, .steps), ("number of environments", environments, .together),
            ("warm-up", warmUp, .steps), ("number of hidden layers", hiddenSizes.count, .layers),
            ("size of a hidden layer", hiddenSizes.min() ?? 0, .width),
            ("size of a hidden layer", hiddenSizes.max() ?? 0, .width),
        ]
        for (name, value, bound) in numbers where bound.problem(name, value) != nil {
            throw LearningError(
                .invalidSetting, "\(name) \(value)",
                "give a number from 1 to \(bound.range.upperBound)")
        }
        guard capacity <= Int(UInt32.max) else {
            throw LearningError(
                .invalidSetting, "capacity \(capacity)", "give a number below 4,294,967,296")
        }
        guard interval.isMultiple(of: environments) else {
            throw LearningError(
                .invalidSetting, "an interval of \(interval) steps in \(environments) environments",
                "give a multiple of their number")
        }
        guard capacity >= interval else {
            throw LearningError(
                .invalidSetting, "capacity \(capacity)",
                "give at least the interval, \(interval) steps")
        }
        for (name, value) in [("learning rate", learningRate), ("reward scale", rewardScale)]
        where !(value > 0 && value.isFinite) {
            throw LearningError(.invalidSetting, "\(name) \(value)", "give a number above 0")
        }
        guard 0 <= discount, discount < 1 else {
            throw LearningError(
                .invalidSetting, "discount \(discount)", "give a number from 0 to below 1")
        }
        guard 0 < targetRate, targetRate <= 1 else {
            throw LearningError(
                .invalidSetting, "target rate \(targetRate)", "give a number above 0, at most 1")
        }
        guard targetEntropy?.isFinite ?? true else {
            throw LearningError(
                .invalidSetting, "target entropy \(targetEntropy ?? 0)", "give a number")
        }
    }
}

/// Random numbers of the updates, the same on every engine.
///
/// Which rows are in the batch of update k, and the noise of actions: all depend on seed, k and
/// place alone.
package struct SoftActorCriticDraws: Sendable {
    private let rows, nextNoise, noise: CounterNumbers
    private let batchSize, actionDimension: Int

    /// The numbers of a run.
    package init(seed: UInt64, batchSize: Int, actionDimension: Int) {
        rows = CounterNumbers(seed: seed, stream: 0)
        nextNoise = CounterNumbers(seed: seed, stream: 1)
        noise = CounterNumbers(seed: seed, stream: 2)
        self.batchSize = batchSize
        self.actionDimension = actionDimension
    }

    /// The place in the memory of row `row` of the batch of update `update`, where the memory holds
    /// `size`.
    package func place(update: Int, row: Int, size: Int) -> Int {
        rows.number(UInt64(update * batchSize + row), below: size)
    }

    /// The noise of an action after the transition (s').
    package func nextNoise(update: Int, row: Int, column: Int) -> Float {
        nextNoise.normal(UInt64((update * batchSize + row) * actionDimension + column))
    }

    /// The noise of an action at the transition's start (s).
    package func noise(update: Int, row: Int, column: Int) -> Float {
        noise.normal(UInt64((update * batchSize + row) * actionDimension + column))
    }
}
