/// Something that can be acted in: it observes, is given an action, and pays a reward.
///
/// Belongs to one task at a time: make one for each worker. It knows no time limit: ``Episode``
/// counts the steps.
public protocol Environment: AnyObject {
    /// What is fixed about the environment.
    var specification: EnvironmentSpecification { get }

    /// Starts an episode whose start depends on `seed` alone, and returns its first observation.
    func reset(seed: UInt64) -> [Double]

    /// Takes one step with `action` (`actionDimension` numbers, not clipped by the environment).
    func step(_ action: [Double]) -> EnvironmentStep

    /// What a log keeps of the state as it is, beside the observation, by its name under `infos` in
    /// D4RL's files; nothing unless said otherwise.
    var infos: [String: [Double]] { get }
}

extension Environment {
    /// Nothing.
    public var infos: [String: [Double]] { [:] }
}

/// What came of one action.
public struct EnvironmentStep: Sendable, Equatable {
    /// The observation after the step.
    public var observation: [Double]
    /// The reward of the step, the sum of ``rewardTerms``.
    public var reward: Double
    /// Whether the episode ended in a terminal state; a time limit is not one.
    public var isTerminated: Bool
    /// What the reward consists of; costs are negative.
    public var rewardTerms: [RewardTerm]

    /// Creates the outcome of a step.
    public init(
        observation: [Double], reward: Double, isTerminated: Bool, rewardTerms: [RewardTerm] = []
    ) {
        self.observation = observation
        self.reward = reward
        self.isTerminated = isTerminated
        self.rewardTerms = rewardTerms
    }
}

/// One named part of a reward.
public struct RewardTerm: Sendable, Equatable {
    /// Name of the part, such as `forward`.
    public let name: String
    /// What it adds to the reward.
    public let value: Double

    /// Creates a part.
    public init(_ name: String, _ value: Double) {
        self.name = name
        self.value = value
    }
}

/// An environment whose episodes have a goal, a place in the plane.
public protocol GoalEnvironment: Environment {
    /// Where to go: x and y in metres.
    var goal: [Double] { get set }
    /// Where the agent is: x and y in metres.
    var achievedGoal: [Double] { get }
    /// Distance to the goal, in metres, that counts as being there.
    var successRadius: Double { get }
}

extension GoalEnvironment {
    /// Columns of the observation that hold ``achievedGoal``; nil where it is not observed.
    public var goalColumns: [Int]? { specification.goalColumns }

    /// Whether the agent is at `goal`, or at the environment's where none is given.
    public func isReached(_ goal: [Double]? = nil) -> Bool {
        let squares = zip(achievedGoal, goal ?? self.goal).map { ($0 - $1) * ($0 - $1) }
        return squares.reduce(0, +).squareRoot() <= successRadius
    }
}
