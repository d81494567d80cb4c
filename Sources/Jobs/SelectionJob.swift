import Behavior
public import Datasets
import Episodes
import Evaluation
public import Foundation
public import Learning
import Planning
import Policies
import RandomNumbers
import Trajectories
import Transformer

/// Ranks policies and checkpoints by fitted Q evaluation on a dataset: no environment is stepped.
///
/// ```swift
/// var job = SelectionJob([.policy("a.safetensors"), .policy("b.safetensors")], dataset: data)
/// job.settings.learning.steps = 10_000
/// print(try job.run().candidates[0].name)     // the best
/// ```
public struct SelectionJob: Sendable {
    /// The ranking.
    public struct Result: Sendable, Codable {
        /// Where a policy or checkpoint came out.
        public struct Candidate: Sendable, Codable {
            /// As it was given.
            public var name: String
            /// Its place, from 1.
            public var rank: Int
            /// The mean discounted return that it is expected to earn from the starts of held-out
            /// episodes.
            public var value: Double
            /// The standard error of that over the starts; nil of one start.
            public var valueError: Double?
            /// Root mean square distance of its actions from the data's.
            public var actionDistance: Double
            /// The last mean loss of learning, in units in which logged returns vary by 1.
            public var loss: Double
        }

        /// The best first.
        public var candidates: [Candidate]
        /// Canonical name of the environment of the data; nil where it is not known.
        public var environment: String?
        /// Weight of a reward one step later.
        public var discount: Double
        /// Mean discounted return of the held-out episodes, which is what the data's policy earns.
        public var heldOutReturn: Double
        /// Episodes held out, and transitions learnt from.
        public var heldOutEpisodes, transitions: Int
        /// Wall-clock time.
        public var seconds: Double
    }

    /// How far a selection has come.
    public enum Progress: Sendable {
        /// Candidate number so and so, from 1, decides on transitions.
        case deciding(candidate: Int, Share)
        /// Candidate number so and so, from 1, is evaluated.
        case learning(candidate: Int, LearningProgress)
    }

    /// Who is ranked.
    public var candidates: [AgentChoice]
    /// The dataset.
    public var dataset: URL
    /// How values are learnt.
    public var settings = FittedQEvaluation.Settings()
    /// Name of the environment of the data; the one that the file names if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Whether to stop; nothing is kept.
    public var isStopped: StopQuestion = { false }

    /// A job; see the properties.
    public init(_ candidates: [AgentChoice], dataset: URL) {
        self.candidates = candidates
        self.dataset = dataset
    }

    /// Evaluates everyone and ranks them.
    ///
    /// - Throws: ``JobError``, and errors of reading, of loading who acts, and of learning.
    public func run(report: (JobEvent<Progress>) -> Void = { _ in }) throws -> Result {
        guard !candidates.isEmpty else {
            throw JobError(.invalidSetting, "nobody is to be ranked; give policies or checkpoints")
        }
        let data = try LearningData(dataset, environment: environment, reading: reading) {
            report(.note($0))
        }
        // Everyone is loaded before the work, so that a wrong name costs nothing.
        let deciders = try candidates.map { try Decider($0, data, file: dataset.given) }
        let start = ContinuousClock.now
        let evaluation = try FittedQEvaluation(
            data.dataset.trajectories, layout: data.dataset.layout, settings: settings)
        report(
            .note(
                "\(evaluation.transitionCount) transitions of \(evaluation.trainingEpisodes) "
                    + "episodes; \(evaluation.heldOutEpisodes) held out"))
        var ranked: [Result.Candidate] = []
        for (index, (choice, decider)) in zip(candidates, deciders).enumerated() {
            var decided = 0
            var generator = PCG64(seed: settings.learning.seed, UInt64(index))
            let estimate = try evaluation.evaluate(
                report: { report(.progress(.learning(candidate: index + 1, $0))) },
                until: isStopped
            ) { moments in
                try decider.actions(in: moments, using: &generator) { count in
                    guard !isStopped() else { throw stopped(after: index) }
                    decided = min(decided + count, evaluation.transitionCount)
                    report(
                        .progress(
                            .deciding(
                                candidate: index + 1,
                                Share("decisions", decided, of: evaluation.transitionCount))))
                }
            }
            guard estimate.progress.isWhole else { throw stopped(after: index) }
            ranked.append(
                Result.Candidate(
                    name: choice.name, rank: 0, value: estimate.value, valueError: estimate.error,
                    actionDistance: estimate.actionDistance,
                    loss: estimate.progress.lossesByName["q"] ?? .nan))
        }
        ranked.sort { $0.value > $1.value }
        for index in ranked.indices { ranked[index].rank = index + 1 }
        return Result(
            candidates: ranked, environment: data.environment, discount: settings.discount,
            heldOutReturn: evaluation.heldOutReturn, heldOutEpisodes: evaluation.heldOutEpisodes,
            transitions: evaluation.transitionCount, seconds: elapsed(since: start))
    }

    private func stopped(after count: Int) -> JobError {
        JobError(
            .stopped,
            "stopped after \(count) of \(candidates.count) candidates, of which nothing is kept; the "
                + "same command begins anew")
    }
}

/// Who decides in logged moments.
private enum Decider {
    case policy(PolicyMixture)
    case planner(Planner, limits: [ClosedRange<Double>])

    /// Situations that are planned for together.
    private static let together = 50

    /// Loads who is to decide about data.
    ///
    /// - Throws: ``JobError`` for models and policies that need a goal; what loading throws.
    init(_ choice: AgentChoice, _ data: LearningData, file: String) throws {
        switch choice {
        case .policy(let text):
            let specification = data.specification
            let mixture = try PolicyParser(specification).parse(text)
            guard mixture.components.allSatisfy(\.policy.goalColumns.isEmpty) else {
                throw Self.needsGoal(text)
            }
            self = .policy(mixture)
        case .model(let model):
            let checkpoint = try Checkpoint(at: model.checkpoint)
            try checkpoint.requireLayout(
                of: data.dataset, file: file, named: model.checkpoint.given)
            guard checkpoint.goalColumns.isEmpty else {
                throw Self.needsGoal(model.checkpoint.given)
            }
            let critic = try model.critic.map { try Critic(contentsOf: $0) }
            try critic?.requireMatch(
                data.dataset.layout, of: file, file: model.critic?.given ?? "")
            var options = model.options
            // Logged moments do not follow from what was planned before.
            (options.replanInterval, options.warmStart) = (1, false)
            self = .planner(
                try Planner(
                    checkpoint: checkpoint, options: options, critic: critic,
                    engine: model.engine), limits: data.actionLimits)
        }
    }

    private static func needsGoal(_ name: String) -> JobError {
        JobError(
            .mismatch, "cannot rank '\(name)': it acts towards goals, which logged data do not have"
        )
    }

    /// The action in each moment; `made` is told of so many.
    func actions(
        in moments: [FittedQEvaluation.Moment], using generator: inout PCG64,
        made: (Int) throws -> Void
    ) throws -> [[Double]] {
        switch self {
        case .policy(let mixture):
            try made(moments.count)
            return moments.map {
                mixture.draw(using: &generator).action(for: $0.observation, using: &generator)
            }
        case .planner(let planner, let limits):
            var actions: [[Double]] = []
            for first in stride(from: 0, to: moments.count, by: Self.together) {
                let part = moments[first..<min(first + Self.together, moments.count)]
                let situations = try part.map { moment in
                    Planner.Situation(
                        context: try Self.context(before: moment, planner),
                        observation: moment.observation, seed: generator.next())
                }
                actions += try planner.plan(situations).map { limits.clamp($0.actions[0]) }
                try made(part.count)
            }
            return actions
        }
    }

    /// What the planner would have seen of the logged past.
    private static func context(
        before moment: FittedQEvaluation.Moment, _ planner: Planner
    ) throws -> PlanningContext {
        var context = planner.context()
        let first = max(0, moment.step - context.limit)
        for step in first..<moment.step {
            try context.append(
                observation: moment.episode.observation(step).map(Double.init),
                action: moment.episode.action(step).map(Double.init),
                reward: Double(moment.episode.rewards[step]))
        }
        return context
    }
}
