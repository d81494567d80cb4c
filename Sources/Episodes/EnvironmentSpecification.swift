public import Trajectories

/// What is fixed about an environment.
public struct EnvironmentSpecification: Sendable, Hashable {
    /// Canonical name, such as `hopper-v4`.
    public let identifier: String
    /// The robot or maze whatever the version, such as `hopper`; policies are filed under it.
    public let family: String
    /// Observation and action sizes.
    public let layout: TransitionLayout
    /// Lower and upper limit of each action dimension.
    public let actionLimits: [ClosedRange<Double>]
    /// Steps after which an episode is cut.
    public let maximumEpisodeSteps: Int
    /// Returns that count as 0 and as 100, if there are agreed ones.
    public let referenceScores: ReferenceScores?
    /// Reward paid on every step for merely not having failed; 0 where there is none.
    public let survivalBonus: Double
    /// Columns of the observation that hold the place which a goal is compared with; nil where
    /// episodes have no goal, or it is not observed how near it is.
    public let goalColumns: [Int]?

    /// Creates a specification.
    public init(
        identifier: String, family: String, layout: TransitionLayout,
        actionLimits: [ClosedRange<Double>], maximumEpisodeSteps: Int,
        referenceScores: ReferenceScores? = nil, survivalBonus: Double = 0,
        goalColumns: [Int]? = nil
    ) {
        precondition(
            actionLimits.count == layout.actionDimension,
            "\(actionLimits.count) action limits for \(layout.actionDimension) actions")
        self.identifier = identifier
        self.family = family
        self.layout = layout
        self.actionLimits = actionLimits
        self.maximumEpisodeSteps = maximumEpisodeSteps
        self.referenceScores = referenceScores
        self.survivalBonus = survivalBonus
        self.goalColumns = goalColumns
    }

    /// The D4RL score of an episode's undiscounted return: 0 as the random policy, 100 as the
    /// expert.
    ///
    /// `nil` where no reference scores are agreed. Fu et al., "D4RL", 2020, arXiv 2004.07219.
    public func normalizedScore(_ episodeReturn: Double) -> Double? {
        referenceScores?.normalizedScore(episodeReturn)
    }

    /// The action with each number moved to the nearest inside ``actionLimits``.
    public func clipped(_ action: [Double]) -> [Double] {
        actionLimits.clamp(action)
    }
}

/// The returns that D4RL's normalized scores refer to.
public struct ReferenceScores: Sendable, Hashable {
    /// Return of a random policy.
    public let random: Double
    /// Return of an expert policy.
    public let expert: Double

    /// Creates a pair of reference returns.
    public init(random: Double, expert: Double) {
        self.random = random
        self.expert = expert
    }

    /// 0 for the random policy's return, 100 for the expert's.
    public func normalizedScore(_ episodeReturn: Double) -> Double {
        100 * (episodeReturn - random) / (expert - random)
    }
}
