public import Episodes
public import Policies
import Tensors
public import Trajectories

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Soft actor-critic in an environment: acting and learning, round by round.
///
/// A round is `interval` steps with the actor of its start, and as many updates that know the memory
/// of its start; so acting and learning may go on at once, and the result is the same. It depends on
/// the settings alone, not on the worker count.
public struct SoftActorCriticTrainer {
    /// Makes the engine: from a state, the settings and the run's number of the first row that will
    /// be appended.
    public typealias EngineMaker =
        @Sendable (SoftActorCriticState, SoftActorCriticSettings, Int) throws
        -> any SoftActorCriticEngine

    /// What a round showed.
    public struct Round: Sendable {
        /// Environment steps so far.
        public var steps = 0
        /// Updates of the round; none before the memory is warm.
        public var updates = SoftActorCriticUpdates()
        /// The transitions of the round.
        public var rows = SoftActorCriticRows()
        /// Returns of the episodes that ended in it.
        public var returns: [Double] = []
        /// These episodes, where they are recorded.
        public var episodes: [Trajectory] = []
    }

    /// How acting and learning share a machine.
    public struct Execution: Sendable, Hashable {
        /// Threads that act, at most.
        public var workers = 1
        /// Whether a round's steps are taken while its updates are computed.
        public var overlaps = false
        /// Whether ``Round/episodes`` are kept.
        public var recordsEpisodes = false

        /// One thread, one after the other.
        public init() {}

        /// Up to `workers` threads, which act while a device of its own learns; the processor has
        /// nothing left over while it learns.
        public init(workers: Int, hasDevice: Bool) {
            self.workers = workers
            overlaps = hasDevice
        }
    }

    /// Learning on the processor, with `workers` threads.
    public static func processor(workers: Int) -> EngineMaker {
        { try CPUSoftActorCritic($0, settings: $1, firstRow: $2, workers: workers) }
    }

    /// The settings.
    public let settings: SoftActorCriticSettings
    /// What is fixed about the environment.
    public let specification: EnvironmentSpecification
    /// Environment steps so far.
    public private(set) var steps: Int
    /// Whether what the memory held when the run was stopped is lost, and the policy fills it again.
    public let refillsMemory: Bool

    private let execution: Execution
    private let engine: any SoftActorCriticEngine
    private let explorers: [SoftActorCriticExplorer]
    /// Rows that the engine was given.
    private var rows = 0

    /// A run from the start.
    ///
    /// - Throws: ``LearningError`` when a setting has no meaning, and errors of `make` and `engine`.
    public init(
        _ settings: SoftActorCriticSettings, execution: Execution = Execution(),
        engine: EngineMaker, make: @escaping @Sendable () throws -> any Environment
    ) throws {
        try settings.validate()
        let layout = try make().specification.layout
        let state = SoftActorCriticState(
            observationDimension: layout.observationDimension,
            actionDimension: layout.actionDimension, hiddenSizes: settings.hiddenSizes,
            seed: settings.seed)
        try self.init(
            state, settings, steps: 0, firstRow: 0, refillsMemory: false, execution, engine, make)
    }

    private init(
        _ state: SoftActorCriticState, _ settings: SoftActorCriticSettings, steps: Int,
        firstRow: Int, refillsMemory: Bool, _ execution: Execution, _ engine: EngineMaker,
        _ make: @escaping @Sendable () throws -> any Environment
    ) throws {
        self.settings = settings
        self.steps = steps
        self.refillsMemory = refillsMemory
        self.execution = execution
        specification = try make().specification
        self.engine = try engine(state, settings, firstRow)
        explorers = try (0..<settings.environments).map {
            try SoftActorCriticExplorer(
                $0, seed: settings.seed, recordsEpisodes: execution.recordsEpisodes, make: make)
        }
    }

    /// Goes on with a run from a snapshot.
    ///
    /// With its memory exactly as if it had not been stopped; without, the snapshot's policy first
    /// fills the memory again. Episodes are not recorded.
    ///
    /// - Throws: ``LearningError`` when the snapshot is of another environment, and errors of `make`
    ///   and `engine`.
    public init(
        resuming snapshot: SoftActorCriticSnapshot, memory: SoftActorCriticRows?,
        execution: Execution = Execution(), engine: EngineMaker,
        make: @escaping @Sendable () throws -> any Environment
    ) async throws {
        let settings = snapshot.settings
        try settings.validate()
        var execution = execution
        execution.recordsEpisodes = false
        let specification = try make().specification
        guard
            snapshot.environment == specification.identifier,
            snapshot.state.observationDimension == specification.layout.observationDimension,
            snapshot.state.actionDimension == specification.layout.actionDimension,
            snapshot.places.count == settings.environments
        else {
            throw LearningError(
                .unsuitableSnapshot, snapshot.environment,
                "it was made in \(snapshot.environment), and is to go on in "
                    + specification.identifier)
        }
        try self.init(
            snapshot.state, settings, steps: snapshot.steps,
            firstRow: memory.map { snapshot.steps - $0.count } ?? 0,
            refillsMemory: memory == nil && snapshot.steps > 0, execution, engine, make)
        if let memory {
            try self.engine.append(memory)
            rows = snapshot.steps
        }
        let policy = try policy()
        for (explorer, place) in zip(explorers, snapshot.places) {
            await explorer.go(to: place, policy)
        }
    }

    // MARK: - A round

    /// Whether the next round's updates have enough to learn from.
    public var isWarm: Bool { rows >= settings.warmUp }

    /// One round.
    ///
    /// - Throws: ``LearningError`` when a loss, an observation or a reward is no number; the run
    ///   cannot go on then. Errors of the engine.
    public mutating func advance() async throws -> Round {
        let count = isWarm ? settings.interval : 0
        let (explorers, policy, engine) = (explorers, try policy(), engine)
        let (isUniform, taken) = (steps < settings.warmUp, settings.interval / explorers.count)
        let workers = execution.workers
        @Sendable func act() async -> [SoftActorCriticExplorer.Outcome] {
            await Self.act(
                explorers, policy, isUniform: isUniform, steps: taken, workers: workers)
        }
        var round = Round()
        if execution.overlaps {
            async let acted = act()
            round.updates = try await Self.update(engine, count)
            try await take(acted, &round)
        } else {
            try await take(act(), &round)
            round.updates = try engine.update(count)
        }
        if let (name, value) = round.updates.nonFinite {
            throw LearningError(
                .diverged, "step \(steps)",
                "the \(name) is \(value); give a smaller learning rate or reward scale")
        }
        try engine.append(round.rows)
        rows += round.rows.count
        steps += round.rows.count
        round.steps = steps
        return round
    }

    /// Updates on a thread of their own, beside the tasks that act.
    private static func update(
        _ engine: any SoftActorCriticEngine, _ count: Int
    ) async throws -> SoftActorCriticUpdates {
        guard count > 0 else { return SoftActorCriticUpdates() }
        return try await withCheckedThrowingContinuation { continuation in
            SystemThread.start {
                continuation.resume(with: Result { try engine.update(count) })
            }
        }
    }

    /// What each explorer did, in their order.
    private static func act(
        _ explorers: [SoftActorCriticExplorer], _ policy: GaussianPolicy, isUniform: Bool,
        steps: Int, workers: Int
    ) async -> [SoftActorCriticExplorer.Outcome] {
        let workers = min(max(workers, 1), explorers.count)
        return await withTaskGroup(
            of: [(index: Int, outcome: SoftActorCriticExplorer.Outcome)].self
        ) { group in
            for worker in 0..<workers {
                group.addTask {
                    var done: [(index: Int, outcome: SoftActorCriticExplorer.Outcome)] = []
                    for index in stride(from: worker, to: explorers.count, by: workers) {
                        done.append(
                            (
                                index,
                                await explorers[index].act(
                                    policy, isUniform: isUniform, steps: steps)
                            ))
                    }
                    return done
                }
            }
            var outcomes: [(index: Int, outcome: SoftActorCriticExplorer.Outcome)] = []
            for await part in group { outcomes += part }
            return outcomes.sorted { $0.index < $1.index }.map(\.outcome)
        }
    }

    /// Puts what was done into `round`, rows in the order of step and environment.
    private func take(
        _ outcomes: [SoftActorCriticExplorer.Outcome], _ round: inout Round
    ) throws(LearningError) {
        let layout = specification.layout
        let (observed, acted) = (layout.observationDimension, layout.actionDimension)
        for step in 0..<(settings.interval / settings.environments) {
            for outcome in outcomes {
                let rows = outcome.rows
                let observation = step * observed..<(step + 1) * observed
                round.rows.observations += rows.observations[observation]
                round.rows.actions += rows.actions[step * acted..<(step + 1) * acted]
                round.rows.rewards.append(rows.rewards[step])
                round.rows.terminals.append(rows.terminals[step])
                round.rows.nextObservations += rows.nextObservations[observation]
            }
        }
        guard round.rows.rewards.allSatisfy(\.isFinite),
            round.rows.nextObservations.allSatisfy(\.isFinite)
        else {
            throw LearningError(
                .diverged, "step \(steps)",
                "an observation or reward of \(specification.identifier) is no number")
        }
        round.returns = outcomes.flatMap(\.returns)
        round.episodes = outcomes.flatMap(\.episodes)
    }

    // MARK: - What was learnt

    /// The policy as it stands; it acts by its mean.
    public func policy() throws -> GaussianPolicy {
        GaussianPolicy(
            layout: specification.layout, actionLimits: specification.actionLimits,
            hiddenSizes: settings.hiddenSizes, parameters: try engine.actor())
    }

    /// Where the run stands, without the memory.
    public func snapshot() async throws -> SoftActorCriticSnapshot {
        var places: [SoftActorCriticExplorer.Place] = []
        for explorer in explorers { places.append(await explorer.place) }
        return SoftActorCriticSnapshot(
            environment: specification.identifier, settings: settings, state: try engine.state(),
            steps: steps, places: places)
    }

    /// The episodes that are going on, where episodes are recorded.
    public func unfinishedEpisodes() async -> [Trajectory] {
        var episodes: [Trajectory] = []
        for explorer in explorers {
            if let episode = await explorer.unfinished { episodes.append(episode) }
        }
        return episodes
    }
}
