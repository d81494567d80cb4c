import Bounds
public import Episodes
public import Policies
import RandomNumbers
public import Trajectories

/// Augmented random search: derivative-free training of a linear policy.
///
/// Algorithm 2 (V2-t) of Mania, Guy and Recht, 2018, arXiv 1803.07055. An iteration tries the
/// policy disturbed along random directions, both ways, and steps along the best of them:
///
///     weights += stepSize / (topDirections · deviation of the returns) · Σ (r₊ - r₋) δ
///
/// Rewards count without the bonus for surviving, as in section 4.1 of the paper: else standing
/// still is what is learned. The result depends on the settings alone, not on the worker count.
public struct RandomSearch: Sendable {
    /// What can be chosen.
    public struct Settings: Sendable, Hashable {
        /// Directions tried in an iteration (N).
        public var directions = 8
        /// Directions used of them, the best (b).
        public var topDirections = 4
        /// Step size (α).
        public var stepSize = 0.01
        /// Size of the disturbance (ν).
        public var noise = 0.025
        /// Seed of directions and starts.
        public var seed: UInt64 = 0

        /// The published settings for Hopper.
        public init() {}
    }

    /// Where the search stands after an iteration.
    public struct Progress: Sendable {
        /// Iterations done.
        public let iteration: Int
        /// Environment steps taken for training.
        public let steps: Int
        /// Mean return of the disturbed policies in this iteration, survival bonus included.
        public let meanReturn: Double
        /// What was seen in this iteration, if asked for: two episodes for each direction.
        public let episodes: [Trajectory]
    }

    /// What an episode of a disturbed policy showed.
    private struct Trial: Sendable {
        var searchReturn = 0.0
        var episodeReturn = 0.0
        var moments: RunningMoments
        var trajectory: Trajectory?
    }

    let settings: Settings
    private let workers: EpisodeWorkers
    private var moments: RunningMoments
    /// The policy as trained so far.
    public private(set) var policy: LinearPolicy
    /// Environment steps taken for training.
    public private(set) var steps = 0
    /// Iterations done.
    public private(set) var iteration = 0

    /// A search that starts from the zero policy.
    ///
    /// - Throws: ``LearningError`` when a setting has no meaning.
    public init(_ settings: Settings, workers: EpisodeWorkers) throws(LearningError) {
        func check(_ isValid: Bool, _ subject: String, _ detail: String) throws(LearningError) {
            guard isValid else {
                throw LearningError(.invalidSetting, subject, detail)
            }
        }
        try check(
            Bound.together.range.contains(settings.directions),
            "\(settings.directions) directions",
            "give from 1 to \(Bound.together.range.upperBound)")
        try check(
            1...settings.directions ~= settings.topDirections,
            "the top \(settings.topDirections) directions",
            "choose from 1 to the number of directions, \(settings.directions)")
        try check(
            settings.stepSize > 0 && settings.stepSize.isFinite, "step size \(settings.stepSize)",
            "it must be positive")
        try check(
            settings.noise > 0 && settings.noise.isFinite, "noise \(settings.noise)",
            "it must be positive")
        self.settings = settings
        self.workers = workers
        policy = LinearPolicy(workers.specification)
        moments = RunningMoments(dimension: workers.specification.layout.observationDimension)
    }

    /// Does one iteration; `recordsEpisodes` keeps what was seen, and changes nothing else.
    public mutating func advance(recordsEpisodes: Bool = false) async -> Progress {
        let specification = workers.specification
        let current = policy
        let seed = settings.seed
        let noise = settings.noise
        let iterationIndex = UInt64(iteration)
        let directions = (0..<settings.directions).map { index in
            var generator = PCG64(seed: seed, iterationIndex, UInt64(index))
            return current.weights.map { _ in generator.normal() }
        }
        // Job 2k is direction k forwards, 2k + 1 backwards; both from the same start.
        let trials = await workers.map(2 * directions.count) { job, environment in
            var disturbed = current
            let size = job.isMultiple(of: 2) ? noise : -noise
            for (index, value) in directions[job / 2].enumerated() {
                disturbed.weights[index] += size * value
            }
            var start = PCG64(seed: seed, iterationIndex, UInt64(job / 2), 1)
            return Self.run(
                disturbed, in: environment, specification, seed: start.next(),
                recordsEpisode: recordsEpisodes)
        }
        for trial in trials {
            moments.merge(trial.moments)
            steps += Int(trial.moments.count)
        }
        update(directions: directions, returns: trials.map(\.searchReturn))
        policy.mean = moments.mean
        policy.deviation = moments.deviation
        iteration += 1
        let total = trials.reduce(0) { $0 + $1.episodeReturn }
        return Progress(
            iteration: iteration, steps: steps, meanReturn: total / Double(trials.count),
            episodes: trials.compactMap(\.trajectory))
    }

    private static func run(
        _ policy: LinearPolicy, in environment: any Environment,
        _ specification: EnvironmentSpecification, seed: UInt64, recordsEpisode: Bool
    ) -> Trial {
        var trial = Trial(
            moments: RunningMoments(dimension: specification.layout.observationDimension),
            trajectory: recordsEpisode ? Trajectory(layout: specification.layout) : nil)
        var generator = PCG64(seed: seed)
        var episode = Episode(in: environment, seed: seed)
        while !episode.isOver {
            let observation = episode.observation
            trial.moments.add(observation)
            let action = policy.action(for: observation, using: &generator)
            let step = episode.take(action)
            trial.searchReturn += step.reward - specification.survivalBonus
            trial.trajectory?.append(
                observation: observation.map(Float.init), action: action.map(Float.init),
                reward: Float(step.reward))
        }
        trial.episodeReturn = episode.totalReward
        trial.trajectory?.ending = episode.ending ?? .unfinished
        return trial
    }

    /// The step along the best directions, from the returns of jobs 2k and 2k + 1 for direction k.
    private mutating func update(directions: [[Double]], returns: [Double]) {
        let best = directions.indices
            .sorted {
                max(returns[2 * $0], returns[2 * $0 + 1])
                    > max(returns[2 * $1], returns[2 * $1 + 1])
            }
            .prefix(settings.topDirections)
        let used = best.flatMap { [returns[2 * $0], returns[2 * $0 + 1]] }
        let mean = used.reduce(0, +) / Double(used.count)
        let variance = used.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(used.count)
        // Equal returns say nothing about where to go.
        guard variance > 0 else { return }
        let rate = settings.stepSize / (Double(best.count) * variance.squareRoot())
        for direction in best {
            let gain = rate * (returns[2 * direction] - returns[2 * direction + 1])
            for (index, value) in directions[direction].enumerated() {
                policy.weights[index] += gain * value
            }
        }
    }
}
