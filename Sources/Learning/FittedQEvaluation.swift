import RandomNumbers
import Tensors
public import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Fitted Q evaluation: what whoever acts would earn, judged by logged episodes, without acting.
///
///     Q: least squared error of r + γ Q̄(s', π(s')) - Q(s, a);   Q̄ += rate (Q - Q̄)
///     value of π: mean of Q̄(s₀, π(s₀)) over the first observations of held-out episodes
///
/// Le, Voloshin and Yue 2019, "Batch policy learning under constraints", arXiv 1903.08738; for
/// choosing among policies: Paine and others 2020, "Hyperparameter selection for offline
/// reinforcement learning", arXiv 2007.09055. Every evaluation begins with the critic of the data,
/// which is regressed on the logged discounted returns, in units in which these have mean 0 and
/// deviation 1; targets are kept within what rewards of the data can add up to.
public final class FittedQEvaluation {
    /// A moment of a logged episode in which is to be decided.
    public struct Moment: Sendable {
        /// The episode.
        public let episode: Trajectory
        /// The step whose observation is there; what lies before it is the past.
        public let step: Int

        /// What is observed.
        public var observation: [Double] { episode.observation(step).map(Double.init) }
    }

    /// What an evaluation came to.
    public struct Estimate: Sendable, Hashable {
        /// The mean value of the starts: the discounted return to be expected.
        public let value: Double
        /// Standard error of that over the starts, nil of one start; of the estimate's own bias it
        /// says nothing.
        public let error: Double?
        /// Root mean square distance of the actions from those of the data at the same moments, in
        /// the data's units; where it is large, the value is a guess.
        public let actionDistance: Double
        /// The last report of learning.
        public let progress: LearningProgress
    }

    /// The settings.
    public let settings: Settings
    /// Episodes that are learnt from, and held out ones.
    public let trainingEpisodes, heldOutEpisodes: Int
    /// Mean discounted return of the held-out episodes: what the data's own policy is worth.
    public let heldOutReturn: Double
    /// Transitions that are learnt from.
    public var transitionCount: Int { rows.count }

    private let transitions: Transitions
    private let normalization: Normalization
    private let training: [Trajectory]
    private let starts: [Moment]
    /// Transitions that are learnt from, and the episode and step of what follows each.
    private let rows: [Int]
    private let following: [(episode: Int, step: Int)]
    /// A value is `mean + deviation ·` a network's output.
    private let mean, deviation: Float
    private let range: ClosedRange<Float>
    private let pool: WorkerPool
    private let base: NetworkTrainer
    private let batch: Minibatch
    private let nextInputs: Matrix
    private let goals: FloatStorage
    private let owned: FloatStorage
    /// The discounted return from each transition on.
    private let returns: [Float]
    private var knowsData = false

    /// Prepares to judge by episodes of one layout.
    ///
    /// - Throws: ``LearningError`` when there are fewer than two episodes to learn from or a setting
    ///   has no meaning.
    public init(
        _ trajectories: [Trajectory], layout: TransitionLayout, settings: Settings = Settings()
    ) throws(LearningError) {
        try settings.validate()
        let learning = settings.learning
        try learning.requireMemory(
            networks: 3, inputs: layout.observationDimension + layout.actionDimension, outputs: 1)
        var generator = SplitMix64(seed: learning.seed)
        var episodes = trajectories.filter { $0.count > 1 || $0.ending == .terminal }
        guard episodes.count > 1 else {
            throw LearningError(
                .noData, "the dataset",
                "one episode is learnt from and another held out, and it has \(episodes.count) of "
                    + "two transitions or a terminal one")
        }
        generator.shuffle(&episodes)
        let held = Int(Double(episodes.count) * settings.heldOutFraction)
        let heldOut = Array(episodes.prefix(min(max(held, 1), episodes.count - 1)))
        let training = Array(episodes.dropFirst(heldOut.count))
        let transitions = Transitions(training, layout: layout)

        self.settings = settings
        self.transitions = transitions
        self.training = training
        trainingEpisodes = training.count
        heldOutEpisodes = heldOut.count
        starts = heldOut.map { Moment(episode: $0, step: 0) }
        heldOutReturn =
            heldOut.reduce(0) { $0 + Double(Self.returns(of: $1, settings.discount)[0]) }
            / Double(heldOut.count)
        normalization = Normalization(
            of: transitions.observations, width: layout.observationDimension)

        let places = training.indices.flatMap { index in
            Self.rows(of: training[index]).map { (episode: index, step: $0 + 1) }
        }
        var chosen = Array(0..<transitions.count)
        if chosen.count > settings.transitions {
            generator.shuffle(&chosen)
            chosen = chosen.prefix(settings.transitions).sorted()
        }
        rows = chosen
        following = chosen.map { row in
            // Nothing follows a terminal row; its own observation stands there.
            (places[row].episode, places[row].step - (transitions.isTerminal[row] ? 1 : 0))
        }
        returns = training.flatMap { episode in
            Self.returns(of: episode, settings.discount).prefix(Self.rows(of: episode).count)
        }
        let moments = Normalization(of: returns, width: 1)
        (mean, deviation) = (moments.mean[0], moments.deviation[0])
        range = Self.range(of: transitions, settings.discount)
        pool = learning.pool
        let network = Network(
            name: "q",
            sizes: [layout.observationDimension + layout.actionDimension] + learning.hiddenSizes
                + [1])
        network.initialize(using: &generator)
        base = NetworkTrainer(
            network, rows: learning.batchSize, settings: learning.optimizer, pool: pool)
        batch = Minibatch(
            rows: learning.batchSize, observationDimension: layout.observationDimension,
            actionDimension: layout.actionDimension)
        let width = layout.observationDimension + layout.actionDimension
        owned = FloatStorage(count: learning.batchSize * width)
        nextInputs = owned.matrix(columns: width)
        goals = FloatStorage(count: learning.batchSize)
    }

    /// Evaluates whoever acts.
    ///
    /// - Parameters:
    ///   - report: Given all reports, those of the regression on the data included, before the first
    ///     evaluation.
    ///   - isStopped: Asked after each step; where it says so, learning ends there, and the estimate
    ///     is of what was learnt.
    ///   - act: The action in each of some moments; asked once for each transition, a thousand at a
    ///     time, and for the starts.
    /// - Returns: The candidate's value, and how far that can be trusted.
    /// - Throws: ``LearningError`` when learning diverges, and what `act` throws.
    public func evaluate(
        report: (LearningProgress) -> Void = { _ in }, until isStopped: () -> Bool = { false },
        act: ([Moment]) throws -> [[Double]]
    ) throws -> Estimate {
        let learning = settings.learning
        if !knowsData { try regress(report: report, until: isStopped) }
        let actions = try nextActions(act)
        let trainer = NetworkTrainer(
            base.pass.network.copy(name: "q"), rows: learning.batchSize,
            settings: learning.optimizer, pool: pool)
        let target = NetworkPass(
            base.pass.network.copy(name: "target"), rows: learning.batchSize, pool: pool)
        var sampler = sampler(1)
        let width = transitions.layout.observationDimension
        let actionWidth = transitions.layout.actionDimension
        let last = try LearningProgress.run(
            steps: learning.steps, names: ["q"], seed: learning.seed, until: isStopped,
            report: report
        ) { step in
            let places = sampler.next()
            let chosen = places.map { rows[$0] }
            batch.fill(chosen, of: transitions, normalization)
            for (row, place) in places.enumerated() {
                for column in 0..<width {
                    nextInputs[row, column] = batch.nextObservations[row, column]
                }
                for column in 0..<actionWidth {
                    nextInputs[row, width + column] = actions[place * actionWidth + column]
                }
            }
            let next = target.output(of: nextInputs)
            for (row, at) in chosen.enumerated() {
                let future = transitions.isTerminal[at] ? 0 : mean + deviation * next[row, 0]
                let value = transitions.rewards[at] + Float(settings.discount) * future
                goals[row] =
                    (min(max(value, range.lowerBound), range.upperBound) - mean) / deviation
            }
            let loss = trainer.step(input: batch.inputs, rate: rate(step, of: learning.steps)) {
                Losses.squared($0, targets: goals, count: places.count)
            }
            target.network.move(
                to: trainer.pass.network, share: Float(settings.targetRate), pool: pool)
            return [loss]
        }
        try Network.requireFinite([trainer.pass.network], after: last.step, seed: learning.seed)
        let values = values(of: target.network, in: starts, try act(starts))
        let average = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - average) * ($1 - average) }
        let count = Double(values.count)
        return Estimate(
            value: average,
            error: values.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil,
            actionDistance: distance(of: actions), progress: last)
    }

    /// Regresses the critic of the data on the logged returns.
    private func regress(
        report: (LearningProgress) -> Void, until isStopped: () -> Bool
    ) throws(LearningError) {
        var sampler = sampler(0)
        let last = try LearningProgress.run(
            steps: settings.dataSteps, names: ["returns"], seed: settings.learning.seed,
            until: isStopped, report: report
        ) { step in
            let chosen = sampler.next().map { rows[$0] }
            batch.fill(chosen, of: transitions, normalization)
            for (row, at) in chosen.enumerated() { goals[row] = (returns[at] - mean) / deviation }
            return [
                base.step(input: batch.inputs, rate: rate(step, of: settings.dataSteps)) {
                    Losses.squared($0, targets: goals, count: chosen.count)
                }
            ]
        }
        try Network.requireFinite(
            [base.pass.network], after: last.step, seed: settings.learning.seed)
        knowsData = last.step == last.steps
    }

    /// The rate of a step: it falls along a cosine, so that the last steps average.
    private func rate(_ step: Int, of steps: Int) -> Double {
        settings.learning.learningRate * (1 + cos(.pi * Double(step) / Double(steps))) / 2
    }

    private func sampler(_ stream: UInt64) -> MinibatchSampler {
        MinibatchSampler(
            rowCount: rows.count, size: settings.learning.batchSize,
            generator: SplitMix64(seed: settings.learning.seed &* 2 &+ stream &+ 0x5EED))
    }

    /// The action after each transition that is learnt from.
    private func nextActions(_ act: ([Moment]) throws -> [[Double]]) rethrows -> [Float] {
        var actions: [Float] = []
        actions.reserveCapacity(rows.count * transitions.layout.actionDimension)
        for first in stride(from: 0, to: rows.count, by: 1000) {
            let moments = following[first..<min(first + 1000, rows.count)].map {
                Moment(episode: training[$0.episode], step: $0.step)
            }
            let chosen = try act(moments)
            precondition(chosen.count == moments.count, "an action for each moment")
            actions += chosen.joined().map(Float.init)
        }
        return actions
    }

    private func distance(of actions: [Float]) -> Double {
        let width = transitions.layout.actionDimension
        var sum = 0.0
        for (place, at) in following.enumerated() {
            let logged = training[at.episode].action(at.step)
            for (column, number) in logged.enumerated() {
                let difference = Double(actions[place * width + column] - number)
                sum += difference * difference
            }
        }
        return (sum / Double(following.count)).squareRoot()
    }

    private func values(
        of network: Network, in moments: [Moment], _ actions: [[Double]]
    ) -> [Double] {
        let rows = zip(moments, actions).map { moment, action in
            moment.episode.observation(moment.step).enumerated().map {
                normalization.apply($1, column: $0)
            } + action.map(Float.init)
        }
        let capacity = min(rows.count, 512)
        let pass = NetworkPass(network, rows: capacity, pool: pool)
        let width = transitions.layout.observationDimension + transitions.layout.actionDimension
        let storage = FloatStorage(count: capacity * width)
        return stride(from: 0, to: rows.count, by: capacity).flatMap { first in
            let part = rows[first..<min(first + capacity, rows.count)]
            storage.write(part.flatMap(\.self))
            return pass.output(of: storage.matrix(columns: width).rows(0..<part.count)).values
                .map { Double(mean + deviation * $0) }
        }
    }

    /// Those rows of an episode whose successor is known, or does not matter.
    private static func rows(of episode: Trajectory) -> Range<Int> {
        0..<(episode.ending == .terminal ? episode.count : episode.count - 1)
    }

    /// The discounted return from each row of an episode on.
    private static func returns(of episode: Trajectory, _ discount: Double) -> [Float] {
        var sum = 0.0
        return Array(
            episode.rewards.reversed().map { reward in
                sum = Double(reward) + discount * sum
                return Float(sum)
            }.reversed())
    }

    /// What discounted rewards like these can add up to.
    private static func range(of transitions: Transitions, _ discount: Double) -> ClosedRange<Float>
    {
        guard discount < 1 else { return -.greatestFiniteMagnitude ... .greatestFiniteMagnitude }
        let (low, high) = (transitions.rewards.min() ?? 0, transitions.rewards.max() ?? 0)
        let share = Float(1 / (1 - discount))
        return min(low * share, 0)...max(high * share, 0)
    }
}
