public import Trajectories

/// The one rule how the transitions of an episode become numbers: observation, action, reward and
/// value, in the order of `TransitionLayout`.
///
/// The value is the discounted return after the step (``returnsToGo(rewards:discount:)``). In an
/// episode that ends in a terminal state a penalty takes the place of the last reward, where the
/// settings give one, and counts into the values too (as in the code of Janner et al. 2021).
///
/// ```swift
/// let rows = TransitionRows(of: trajectory, settings: checkpoint.description.tokenization)
/// let tokens = (0..<rows.count).flatMap { discretizer.encode(rows[$0]) }
/// ```
public struct TransitionRows: Sendable, Equatable {
    /// The episode.
    public let trajectory: Trajectory
    /// The reward of each row, with the penalty.
    public let rewards: [Double]
    /// The value of each row.
    public let values: [Double]

    /// The rows of an episode.
    ///
    /// - Parameters:
    ///   - trajectory: The episode.
    ///   - discount: The factor by which a reward counts less for each step it lies ahead.
    ///   - terminationPenalty: Takes the place of the last reward of an episode that ends in a
    ///     terminal state (not of one that is cut by a time limit or goes on), if given.
    public init(of trajectory: Trajectory, discount: Double, terminationPenalty: Double?) {
        self.trajectory = trajectory
        (rewards, values) = Self.rewardsAndValues(
            trajectory.rewards, trajectory.ending, discount: discount,
            terminationPenalty: terminationPenalty)
    }

    /// The rows of an episode as they are tokenized under these settings, whose penalty has been
    /// decided.
    public init(of trajectory: Trajectory, settings: TokenizedDataset.Settings) {
        self.init(
            of: trajectory, discount: settings.discount,
            terminationPenalty: settings.terminationPenalty.value)
    }

    /// Number of rows.
    public var count: Int { rewards.count }

    /// The numbers of a row.
    public subscript(row: Int) -> [Double] {
        Self.numbers(
            observation: trajectory.observation(row).map(Double.init),
            action: trajectory.action(row).map(Double.init), reward: rewards[row],
            value: values[row])
    }

    /// The numbers of one transition; without a value those that are known before the episode has
    /// ended.
    public static func numbers(
        observation: [Double], action: [Double], reward: Double, value: Double? = nil
    ) -> [Double] {
        observation + action + [reward] + (value.map { [$0] } ?? [])
    }

    /// Calls `body` with each number of a row, in order.
    func forEachNumber(of row: Int, _ body: (Double) -> Void) {
        for number in trajectory.observation(row) { body(Double(number)) }
        for number in trajectory.action(row) { body(Double(number)) }
        body(rewards[row])
        body(values[row])
    }

    /// The rewards of an episode, with the penalty, and its values.
    static func rewardsAndValues(
        _ rewards: [Float], _ ending: Trajectory.Ending, discount: Double,
        terminationPenalty: Double?
    ) -> (rewards: [Double], values: [Double]) {
        var numbers = rewards.map(Double.init)
        if ending == .terminal, let terminationPenalty, !numbers.isEmpty {
            numbers[numbers.count - 1] = terminationPenalty
        }
        return (numbers, returnsToGo(rewards: numbers, discount: discount))
    }
}
