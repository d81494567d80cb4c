public import Policies
import RandomNumbers
import Tensors
public import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Implicit Q-learning: a critic of the data's best actions, and a policy that prefers them.
///
///     V: least expectile loss of min(Q̄₁, Q̄₂) - V;  π: log π weighted by exp(β (min(Q̄₁, Q̄₂) - V))
///     Qᵢ: least squared error of r + γ V(s') - Qᵢ;   Q̄ᵢ += rate (Qᵢ - Q̄ᵢ)
///
/// Never asks for an action that the data do not have. Kostrikov, Nair and Levine 2021, "Offline
/// reinforcement learning with implicit Q-learning", arXiv 2110.06169. As in the authors' code the
/// policy's learning rate falls along a cosine and its density is a Gaussian around a tanh, with
/// one deviation for each action dimension; unlike theirs, observations are normalized and the
/// activation is GELU.
public final class ImplicitQLearning {
    /// The settings; the defaults are the authors' for locomotion.
    public struct Settings: Sendable, Hashable {
        /// How the networks are trained.
        public var learning = LearningSettings()
        /// Expectile of the value: 0.5 is the data's mean, 1 would be the best; 0.9 in mazes.
        public var expectile = 0.7
        /// Inverse temperature β of the policy's weights; 0 imitates the data; 10 in mazes.
        public var temperature = 3.0
        /// Largest weight in the policy's loss.
        public var weightLimit = 100.0
        /// Weight of a reward one step later.
        public var discount = 0.99
        /// How far target networks follow in a step.
        public var targetRate = 0.005
        /// Rewards are multiplied by this for learning, nil for a scale that depends on the data.
        ///
        /// That is 1000 over the difference between the largest and the smallest return, the
        /// authors' for locomotion. A critic's values are in the units of the data all the same.
        public var rewardScale: Double?
        /// Whether to train the policy; the critic does not depend on it.
        public var trainsPolicy = true

        /// The defaults.
        public init() {}

        func validate() throws(LearningError) {
            try learning.validate(
                discount: discount, targetRate: targetRate,
                weights: ["temperature": temperature, "weight limit": weightLimit])
            guard 0 < expectile, expectile < 1 else {
                throw LearningError(
                    .invalidSetting, "expectile \(expectile)", "give a number between 0 and 1")
            }
            if let rewardScale, !(rewardScale > 0 && rewardScale.isFinite) {
                throw LearningError(
                    .invalidSetting, "reward scale \(rewardScale)", "give a number above 0")
            }
        }
    }

    /// The settings.
    public let settings: Settings
    /// What is learnt from.
    public let transitions: Transitions
    /// What rewards are multiplied by.
    public let rewardScale: Double

    private let normalization: Normalization
    private let critics: [NetworkTrainer]
    private let targets: [NetworkPass]
    private let value: NetworkTrainer
    private let policyTrainer: PolicyTrainer
    private var sampler: MinibatchSampler
    private let batch: Minibatch
    /// One number for each row of a batch.
    private let scores: FloatStorage
    private let weights: FloatStorage
    private let goals: FloatStorage
    private let pool: WorkerPool
    private var stepsDone = 0

    /// Prepares to learn from episodes of one layout.
    ///
    /// - Throws: ``LearningError`` when there are no data or a setting has no meaning.
    public init(
        _ trajectories: [Trajectory], layout: TransitionLayout,
        actionLimits: [ClosedRange<Double>], settings: Settings = Settings()
    ) throws(LearningError) {
        try settings.validate()
        let learning = settings.learning
        let transitions = try learning.transitions(of: trajectories, layout: layout)
        self.settings = settings
        self.transitions = transitions
        rewardScale = settings.rewardScale ?? Self.scale(trajectories)
        normalization = Normalization(
            of: transitions.observations, width: layout.observationDimension)
        let (rows, pool) = (learning.batchSize, learning.pool)
        self.pool = pool
        var generator = SplitMix64(seed: learning.seed)
        func trainer(_ name: String, inputs: Int) -> NetworkTrainer {
            let network = Network(name: name, sizes: [inputs] + learning.hiddenSizes + [1])
            network.initialize(using: &generator)
            return NetworkTrainer(network, rows: rows, settings: learning.optimizer, pool: pool)
        }
        critics = ["q1", "q2"].map {
            trainer($0, inputs: layout.observationDimension + layout.actionDimension)
        }
        targets = critics.map {
            NetworkPass($0.pass.network.copy(name: "target"), rows: rows, pool: pool)
        }
        value = trainer("v", inputs: layout.observationDimension)
        policyTrainer = PolicyTrainer(
            layout: layout, limits: actionLimits, normalization: normalization,
            settings: learning, pool: pool, using: &generator)
        sampler = MinibatchSampler(rowCount: transitions.count, size: rows, generator: generator)
        batch = Minibatch(
            rows: rows, observationDimension: layout.observationDimension,
            actionDimension: layout.actionDimension)
        scores = FloatStorage(count: rows)
        weights = FloatStorage(count: rows)
        goals = FloatStorage(count: rows)
    }

    /// 1000 over the range of returns; 1 where all are equal.
    private static func scale(_ trajectories: [Trajectory]) -> Double {
        let returns = trajectories.filter { $0.count > 0 }.map(\.totalReward)
        let range = (returns.max() ?? 0) - (returns.min() ?? 0)
        return range > 0 ? 1000 / range : 1
    }

    /// Learns for as many steps as the settings say.
    ///
    /// - Parameters:
    ///   - report: Given all reports.
    ///   - isStopped: Asked after each step; where it says so, learning ends there.
    /// - Returns: The last report.
    /// - Throws: ``LearningError`` when learning diverges.
    @discardableResult
    public func train(
        report: (LearningProgress) -> Void = { _ in }, until isStopped: () -> Bool = { false }
    ) throws(LearningError) -> LearningProgress {
        let seed = settings.learning.seed
        let last = try LearningProgress.run(
            steps: settings.learning.steps,
            names: ["value", "q"] + (settings.trainsPolicy ? ["policy"] : []), seed: seed,
            until: isStopped, report: report
        ) { _ in step() }
        try Network.requireFinite(
            critics.map(\.pass.network) + [value.pass.network]
                + (settings.trainsPolicy ? [policyTrainer.network] : []),
            after: last.step, seed: seed)
        return last
    }

    /// One update of every network; returns the losses of value, critics and policy.
    private func step() -> [Double] {
        let rows = sampler.next()
        let count = rows.count
        let rate = settings.learning.learningRate
        batch.fill(rows, of: transitions, normalization)
        let first = targets[0].output(of: batch.inputs)
        let second = targets[1].output(of: batch.inputs)
        for row in 0..<count { scores[row] = min(first[row, 0], second[row, 0]) }

        let expectile = Float(settings.expectile)
        var losses = [
            value.step(input: batch.observations, rate: rate) {
                Losses.expectile($0, targets: scores, expectile: expectile, count: count)
            }
        ]
        let policyLoss = settings.trainsPolicy ? stepPolicy(rows) : nil

        let next = value.pass.output(of: batch.nextObservations)
        for (place, row) in rows.enumerated() {
            let future = transitions.isTerminal[row] ? 0 : next[place, 0]
            goals[place] =
                Float(rewardScale) * transitions.rewards[row] + Float(settings.discount) * future
        }
        losses.append(
            critics.reduce(0) { sum, critic in
                sum
                    + critic.step(input: batch.inputs, rate: rate) {
                        Losses.squared($0, targets: goals, count: count)
                    }
            })
        for (target, critic) in zip(targets, critics) {
            target.network.move(
                to: critic.pass.network, share: Float(settings.targetRate), pool: pool)
        }
        stepsDone += 1
        return losses + (policyLoss.map { [$0] } ?? [])
    }

    /// Regresses the policy on the actions of `rows`, weighted by what they are better than usual.
    private func stepPolicy(_ rows: [Int]) -> Double {
        let usual = value.pass.output(of: batch.observations)
        for row in rows.indices {
            let advantage = Double(scores[row] - usual[row, 0])
            weights[row] = Float(
                min(exp(settings.temperature * advantage), settings.weightLimit))
        }
        let progress = Double(stepsDone) / Double(settings.learning.steps)
        policyTrainer.take(rows, of: transitions.actions)
        return policyTrainer.regress(
            batch.observations, weights: weights,
            rate: settings.learning.learningRate * (1 + cos(.pi * progress)) / 2)
    }

    /// The policy as it stands.
    public var policy: NeuralPolicy { policyTrainer.policy }

    /// The critic as it stands.
    public var critic: Critic {
        Critic(
            layout: transitions.layout, discount: settings.discount, rewardScale: rewardScale,
            normalization: normalization,
            actionValues: critics.enumerated().map { $1.pass.network.copy(name: "q\($0 + 1)") },
            stateValue: value.pass.network.copy(name: "v"))
    }
}
