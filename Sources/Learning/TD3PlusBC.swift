public import Policies
import Layers
import RandomNumbers
import Tensors
public import Trajectories

/// TD3+BC: twin delayed deep deterministic policy gradients that stay near the actions of the data.
///
/// Fujimoto and Gu 2021, "A minimalist approach to offline reinforcement learning", arXiv
/// 2106.06860; TD3 itself is Fujimoto, van Hoof and Meger 2018, arXiv 1802.09477. An update, on a
/// batch (s, a, r, s', terminal) of the data:
///
///     a' = clip(π̄(s') + clip(σ z, ±c), ±1);   y = r + γ (1 - terminal) min(Q̄₁, Q̄₂)(s', a')
///     critics:  mean of (Q₁(s, a) - y)² + (Q₂(s, a) - y)²
///     every second update
///     actor:    -λ · mean of Q₁(s, π(s)) + mean of (π(s) - a)²,  λ = α / mean of |Q₁(s, π(s))|
///     targets:  Q̄ += τ (Q - Q̄),  π̄ += τ (π - π̄)
///
/// As in the authors' code observations are normalized, actions are in units in which their limits
/// are ±1, layers are followed by ReLU, the mean of the second term is over rows and dimensions, and
/// what was cut by a time limit is left out, while nothing follows a terminal state.
///
/// The workers pass through an update together, as ``CPUSoftActorCritic``'s do, so that the result
/// does not depend on their number.
public final class TD3PlusBC {
    /// The settings; the defaults are the authors'.
    public struct Settings: Sendable, Hashable {
        /// How the networks are trained.
        public var learning = LearningSettings()
        /// Weight α of the critic against imitation; 0 imitates the data.
        public var alpha = 2.5
        /// Weight of a reward one step later.
        public var discount = 0.99
        /// How far target networks follow at a time.
        public var targetRate = 0.005
        /// Deviation σ of the noise on the targets' actions.
        public var policyNoise = 0.2
        /// Largest noise c.
        public var noiseLimit = 0.5
        /// Updates of the critics for one of the policy and the targets.
        public var policyDelay = 2

        /// The defaults.
        public init() {}

        func validate() throws(LearningError) {
            try learning.validate(
                discount: discount, targetRate: targetRate,
                weights: ["alpha": alpha, "policy noise": policyNoise, "noise limit": noiseLimit])
            guard 1...1000 ~= policyDelay else {
                throw LearningError(
                    .invalidSetting, "policy delay \(policyDelay)", "give a number from 1 to 1000")
            }
        }
    }

    /// The settings.
    public let settings: Settings
    /// What is learnt from.
    public let transitions: Transitions

    let normalization: Normalization
    let units: ActionUnits
    let draws: SoftActorCriticDraws
    let pool: WorkerPool
    let actor, actorTarget: ReLUPerceptron
    let critics, targets: [ReLUPerceptron]
    let batch: Batch
    let scratch: [Scratch]
    var updates = 0
    var policyLoss = 0.0
    private let actionLimits: [ClosedRange<Double>]

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
        let (observed, acted) = (layout.observationDimension, layout.actionDimension)
        self.settings = settings
        self.transitions = transitions
        self.actionLimits = actionLimits
        normalization = Normalization(of: transitions.observations, width: observed)
        units = ActionUnits(actionLimits)
        draws = SoftActorCriticDraws(
            seed: learning.seed, batchSize: learning.batchSize, actionDimension: acted)
        pool = learning.pool
        let actorSizes = [observed] + learning.hiddenSizes + [acted]
        let criticSizes = [observed + acted] + learning.hiddenSizes + [1]
        // Actions first: then their gradient is that of the first inputs.
        let order = Array(observed..<(observed + acted)) + Array(0..<observed)
        func network(_ sizes: [Int], inputs: [Int]? = nil) -> ReLUPerceptron {
            ReLUPerceptron(
                sizes: sizes, inputs: inputs, beta1: learning.beta1, beta2: learning.beta2,
                weightDecay: learning.weightDecay)
        }
        var generator = SplitMix64(seed: learning.seed)
        func pair(_ sizes: [Int], inputs: [Int]? = nil) -> (ReLUPerceptron, ReLUPerceptron) {
            let values = ReLUPerceptron.initialValues(sizes: sizes, using: &generator)
            let pair = (network(sizes, inputs: inputs), network(sizes, inputs: inputs))
            for network in [pair.0, pair.1] { network.load(values[...]) }
            return pair
        }
        (actor, actorTarget) = pair(actorSizes)
        let pairs = (0..<2).map { _ in pair(criticSizes, inputs: order) }
        critics = pairs.map(\.0)
        targets = pairs.map(\.1)
        batch = Batch(
            rows: learning.batchSize, actor: actor.sizes, critic: critics[0].sizes)
        scratch = (0..<pool.count).map { [actor, critics] _ in
            Scratch(actor: actor.sizes, critic: critics[0].sizes)
        }
    }

    /// Learns for as many steps as the settings say.
    ///
    /// - Parameters:
    ///   - report: Given all reports; the loss of the policy is that of its last update.
    ///   - isStopped: Asked after each step; where it says so, learning ends there.
    /// - Returns: The last report.
    /// - Throws: ``LearningError`` when learning diverges.
    @discardableResult
    public func train(
        report: (LearningProgress) -> Void = { _ in }, until isStopped: () -> Bool = { false }
    ) throws(LearningError) -> LearningProgress {
        let seed = settings.learning.seed
        let last = try LearningProgress.run(
            steps: settings.learning.steps, names: ["q", "policy"], seed: seed,
            until: isStopped, report: report
        ) { _ in
            let criticLoss = update()
            return [criticLoss, policyLoss]
        }
        try LearningError.requireFinite(
            ([actor] + critics).map(\.values), after: last.step, seed: seed)
        return last
    }

    /// The policy as it stands.
    public var policy: NeuralPolicy {
        let layout = transitions.layout
        let sizes =
            [layout.observationDimension] + settings.learning.hiddenSizes
            + [layout.actionDimension]
        let values = actor.values
        var layers: [NeuralPolicy.Layer] = []
        var at = 0
        for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
            let biases = at + inputs * outputs
            layers.append(
                NeuralPolicy.Layer(
                    weights: Array(values[at..<biases]),
                    biases: Array(values[biases..<(biases + outputs)])))
            at = biases + outputs
        }
        return NeuralPolicy(
            layout: layout, actionLimits: actionLimits, mean: normalization.mean,
            deviation: normalization.deviation, layers: layers, activation: .relu)
    }
}
