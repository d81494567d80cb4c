public import Policies
import RandomNumbers
import Tensors
public import Trajectories

/// Behaviour cloning: a perceptron that takes the actions of the data.
///
/// Squared error on actions; with a share of the data below 1, only the episodes with the largest
/// returns, the "%BC" of Chen et al. 2021 (arXiv 2106.01345), section 5.2. With goal columns the
/// policy also takes a goal: in training, where the episode was in a later row
/// (``Settings/goalRule``).
public final class BehaviorCloning {
    /// The settings.
    public struct Settings: Sendable, Hashable {
        /// How the network is trained.
        public var learning = LearningSettings()
        /// Share of the transitions that is learnt from: whole episodes, the best first.
        public var topFraction = 1.0
        /// Columns of the observation that make up a goal; empty without goals.
        public var goalColumns: [Int] = []
        /// Which later row of its episode a transition's goal is; matters with goal columns only.
        public var goalRule = HindsightGoal.later

        /// The defaults.
        public init() {}

        /// What a policy's file says of these, beside ``learning``.
        public var record: [String: String] {
            var record = ["top_fraction": "\(topFraction)"]
            if !goalColumns.isEmpty { record["goal_rule"] = goalRule.rawValue }
            return record
        }
    }

    /// The settings.
    public let settings: Settings
    /// Episodes that are learnt from.
    public let episodeCount: Int
    /// Transitions that are learnt from.
    public let rowCount: Int

    private let layout: TransitionLayout
    private let observations: [Float]
    private let actions: [Float]
    /// For each row, the number of the row after its episode's last.
    private let ends: [Int]
    private let normalization: Normalization
    private let trainer: PolicyTrainer
    private var sampler: MinibatchSampler
    private var goalDraws: SplitMix64
    private let batch: FloatStorage

    /// Prepares to learn from episodes of one layout.
    ///
    /// - Throws: ``LearningError`` when there are no data or a setting has no meaning.
    public init(
        _ trajectories: [Trajectory], layout: TransitionLayout,
        actionLimits: [ClosedRange<Double>], settings: Settings = Settings()
    ) throws(LearningError) {
        try settings.learning.validate()
        guard 0 < settings.topFraction, settings.topFraction <= 1 else {
            throw LearningError(
                .invalidSetting, "the best \(settings.topFraction) of the data",
                "give a share above 0, at most 1")
        }
        let columns = settings.goalColumns
        if let problem = layout.problem(ofGoalColumns: columns) {
            throw LearningError(.invalidSetting, "goals", problem)
        }
        let chosen = Self.best(trajectories, fraction: settings.topFraction)
        guard !chosen.isEmpty else {
            throw LearningError(.noData, "the dataset", "it has no transitions")
        }
        try settings.learning.requireMemory(
            networks: 1, inputs: 2 * layout.observationDimension, outputs: layout.actionDimension)
        self.settings = settings
        self.layout = layout
        episodeCount = chosen.count
        observations = chosen.flatMap(\.observations)
        actions = chosen.flatMap(\.actions)
        rowCount = chosen.reduce(0) { $0 + $1.count }
        ends = chosen.reduce(into: []) { ends, episode in
            ends += Array(repeating: ends.count + episode.count, count: episode.count)
        }
        normalization = Normalization(of: observations, width: layout.observationDimension)
            .appending(columns)
        var generator = SplitMix64(seed: settings.learning.seed)
        trainer = PolicyTrainer(
            layout: layout, goalColumns: columns, limits: actionLimits,
            normalization: normalization, settings: settings.learning,
            pool: settings.learning.pool, using: &generator)
        sampler = MinibatchSampler(
            rowCount: rowCount, size: settings.learning.batchSize, generator: generator)
        // Of their own, so that goals leave the order of the rows as it is.
        goalDraws = SplitMix64(seed: ~settings.learning.seed)
        batch = FloatStorage(count: settings.learning.batchSize * normalization.mean.count)
    }

    /// The best of the episodes, best first (``BestEpisodes``); all in their order where the fraction
    /// is 1.
    package static func best(_ trajectories: [Trajectory], fraction: Double) -> [Trajectory] {
        let whole = trajectories.filter { $0.count > 0 }
        guard fraction < 1 else { return whole }
        return BestEpisodes.indices(
            fraction, returns: whole.map(\.totalReward), lengths: whole.map(\.count)
        ).map { whole[$0] }
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
        let width = layout.observationDimension
        let input = batch.matrix(columns: normalization.mean.count)
        let rate = settings.learning.learningRate
        let seed = settings.learning.seed
        let last = try LearningProgress.run(
            steps: settings.learning.steps, names: ["action"], seed: seed, until: isStopped,
            report: report
        ) { _ in
            let rows = sampler.next()
            for (place, row) in rows.enumerated() {
                for column in 0..<width {
                    input[place, column] = normalization.apply(
                        observations[row * width + column], column: column)
                }
                guard !settings.goalColumns.isEmpty else { continue }
                let goal =
                    row
                    + settings.goalRule.row(
                        after: 0, length: 1, in: ends[row] - row, draw: goalDraws.next())
                for (index, column) in settings.goalColumns.enumerated() {
                    input[place, width + index] = normalization.apply(
                        observations[goal * width + column], column: column)
                }
            }
            trainer.take(rows, of: actions)
            return [trainer.imitate(input, rate: rate)]
        }
        try Network.requireFinite([trainer.network], after: last.step, seed: seed)
        return last
    }

    /// The policy as it stands.
    public var policy: NeuralPolicy { trainer.policy }
}
