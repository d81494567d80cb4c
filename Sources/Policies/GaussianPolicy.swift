public import RandomNumbers

public import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A perceptron whose outputs are the mean and deviation of a Gaussian, squashed by tanh.
///
/// The policy of soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905):
///
///     x₀ = observation;  xₗ₊₁ = max(xₗ Wₗᵀ + bₗ, 0);  (mean, log σ) = x_last Wᵀ + b
///     action = centre + half width · tanh(mean + σ z),  log σ clamped to [-20, 2]
///
/// It acts by its mean, z = 0, or, ``sampling``, draws z. Centre and half width are those of the
/// action limits in training.
public struct GaussianPolicy: Policy, Equatable {
    /// An action that was drawn.
    public struct Sample: Sendable, Equatable {
        /// tanh(u), each in -1...1: the action before it is spread over its range.
        public let squashed: [Float]
        /// Logarithm of the density of ``squashed``, what D4RL's files call `action_log_probs`.
        public let logProbability: Double

        /// Creates a sample.
        public init(squashed: [Float], logProbability: Double) {
            self.squashed = squashed
            self.logProbability = logProbability
        }
    }

    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// What -1 to 1 stands for.
    public let actionRanges: [ClosedRange<Double>]
    /// Limits to which actions are clipped.
    public let actionLimits: [ClosedRange<Double>]
    /// Sizes of the hidden layers.
    public let hiddenSizes: [Int]
    /// For each layer the weight, outputs × inputs row after row, then the bias.
    public let parameters: [Float]
    /// Whether actions are drawn rather than the mean's.
    public var isSampling = false

    private let layers: [DenseLayer]

    /// Creates a policy whose actions span the limits, from parameters as
    /// ``parameterCount(layout:hiddenSizes:)`` counts them.
    public init(
        layout: TransitionLayout, actionLimits: [ClosedRange<Double>],
        actionRanges: [ClosedRange<Double>]? = nil, hiddenSizes: [Int], parameters: [Float]
    ) {
        let count = Self.parameterCount(layout: layout, hiddenSizes: hiddenSizes)
        precondition(
            parameters.count == count && actionLimits.count == layout.actionDimension,
            "\(parameters.count) parameters, expected \(count) for \(layout) and \(hiddenSizes)")
        self.layout = layout
        self.actionLimits = actionLimits
        self.actionRanges = actionRanges ?? actionLimits
        self.hiddenSizes = hiddenSizes
        self.parameters = parameters
        layers = PerceptronFile.ranges(Self.sizes(layout, hiddenSizes)).map {
            DenseLayer(weights: parameters[$0.weights], biases: parameters[$0.biases])
        }
    }

    static func sizes(_ layout: TransitionLayout, _ hiddenSizes: [Int]) -> [Int] {
        [layout.observationDimension] + hiddenSizes + [2 * layout.actionDimension]
    }

    /// Numbers that make up such a policy.
    public static func parameterCount(layout: TransitionLayout, hiddenSizes: [Int]) -> Int {
        PerceptronFile.parameterCount(sizes(layout, hiddenSizes))
    }

    /// Whether both act alike.
    public static func == (a: Self, b: Self) -> Bool {
        a.layout == b.layout && a.actionRanges == b.actionRanges && a.actionLimits == b.actionLimits
            && a.hiddenSizes == b.hiddenSizes && a.parameters == b.parameters
            && a.isSampling == b.isSampling
    }

    /// The policy that draws its actions.
    public var sampling: GaussianPolicy {
        var policy = self
        policy.isSampling = true
        return policy
    }

    // MARK: - Acting

    /// Mean and logarithm of the deviation of each action's u, for an observation.
    public func distribution(for observation: [Float]) -> (mean: [Float], logDeviation: [Float]) {
        let numbers = DenseLayer.output(of: layers, for: observation, activation: .relu)
        let width = layout.actionDimension
        return (
            Array(numbers[..<width]),
            numbers[width..<(2 * width)].map { min(max($0, -20), 2) }
        )
    }

    /// The action of noise z, a standard normal number for each action; none for the mean's.
    public func sample(for observation: [Float], noise: [Float]? = nil) -> Sample {
        let (mean, logDeviation) = distribution(for: observation)
        var squashed: [Float] = []
        var logProbability = 0.0
        for column in mean.indices {
            let z = noise?[column] ?? 0
            let u = mean[column] + exp(logDeviation[column]) * z
            squashed.append(tanh(u))
            logProbability += Self.logDensity(z: z, logDeviation: logDeviation[column], u: u)
        }
        return Sample(squashed: squashed, logProbability: logProbability)
    }

    /// log N(u) - log(1 - tanh²(u)), the latter as 2 (ln 2 - u - softplus(-2u)).
    private static func logDensity(z: Float, logDeviation: Float, u: Float) -> Double {
        let (z, u) = (Double(z), Double(u))
        let softplus = max(-2 * u, 0) + log1p(exp(-abs(2 * u)))
        let gaussian = -z * z / 2 - Double(logDeviation) - log(2 * .pi) / 2
        return gaussian - 2 * (log(2) - u - softplus)
    }

    /// The action in the environment's units.
    public func action(_ squashed: [Float]) -> [Double] {
        squashed.indices.map { index in
            let range = actionRanges[index]
            let half = (range.upperBound - range.lowerBound) / 2
            return actionLimits[index].clamp(
                range.lowerBound + half * (1 + Double(squashed[index])))
        }
    }

    /// The mean's action, or, where it ``isSampling``, one that is drawn.
    public func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        guard isSampling else { return action(sample(for: observation.map(Float.init)).squashed) }
        return sample(for: observation, using: &generator).action
    }

    /// The same action, with the logarithm of its density where it is drawn.
    public func decision(
        for observation: [Double], using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double?) {
        guard isSampling else { return (action(for: observation, using: &generator), nil) }
        let drawn = sample(for: observation, using: &generator)
        return (drawn.action, drawn.logProbability)
    }

    /// An action that is drawn, in the environment's units, and the logarithm of the density of its
    /// tanh(u).
    public func sample(
        for observation: [Double], using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double) {
        let noise = (0..<layout.actionDimension).map { _ in Float(generator.normal()) }
        let sample = sample(for: observation.map(Float.init), noise: noise)
        return (action(sample.squashed), sample.logProbability)
    }
}
