public import Agents
import Dispatch
public import Episodes
public import Planning
import Synchronization

extension EvaluationReport {
    /// Evaluates a controller over `episodes` episodes, `parallel` of them at a time; episode `i`
    /// has the seed `seed + i`.
    ///
    /// Episodes that run at the same time plan together, so that each call of the model serves all
    /// of them, and step at the same time. An episode depends on its seed alone: the returns are
    /// those of running one after the other.
    ///
    /// - Parameters:
    ///   - episodes: Number of episodes, at least one.
    ///   - parallel: Episodes that run at the same time.
    ///   - seed: Seed of the first one.
    ///   - controller: Who acts.
    ///   - options: How far episodes go, and what is kept of them.
    ///   - recordedEpisodes: Number of episodes, from the first, whose states are kept.
    ///   - makeEnvironment: Where.
    ///   - isStopped: Asked after each step; where it says so, the episodes under way are given up.
    ///   - onStep: Called after every step with the episode's number and the episode so far.
    /// - Returns: The report, and the episodes it sums up: those that came to their end.
    /// - Throws: ``EvaluationStopped`` where none did; what `makeEnvironment` throws, and
    ///   `PlanningError`.
    public static func evaluate(
        episodes: Int, parallel: Int, seed: UInt64, controller: Controller,
        options: Rollout.Options = .init(), recordedEpisodes: Int = 0,
        environment makeEnvironment: () throws -> any Environment,
        until isStopped: () -> Bool = { false },
        onStep: (Int, Rollout) -> Void = { _, _ in }
    ) throws -> (report: EvaluationReport, rollouts: [Rollout]) {
        let started = ContinuousClock.now
        let environments = try (0..<max(1, min(parallel, episodes))).map { _ in
            try makeEnvironment()
        }
        var controllers: [Controller] = []
        var lanes: [(episode: Int, running: RunningEpisode, environment: any Environment)] = []
        var rollouts = [Rollout?](repeating: nil, count: episodes)
        var begun = 0

        func begin(in environment: any Environment, _ controller: Controller) {
            let seed = seed &+ UInt64(begun)
            var options = options
            options.recordsStates = options.recordsStates || begun < recordedEpisodes
            let running = RunningEpisode(in: environment, seed: seed, options: options)
            lanes.append((begun, running, environment))
            controllers.append(controller)
            controllers[controllers.count - 1].reset(seed: seed)
            begun += 1
        }

        for environment in environments { begin(in: environment, controller) }
        while !lanes.isEmpty {
            for (index, lane) in lanes.enumerated() {
                if let goal = lane.running.goal {
                    try controllers[index].pursue(goal: goal)
                }
            }
            let decisions = try Controller.act(
                &controllers, on: lanes.map(\.running.observation))
            let running = lanes.map(\.running)
            DispatchQueue.concurrentPerform(iterations: running.count) { index in
                running[index].take(decisions[index])
            }
            for (index, lane) in lanes.enumerated() {
                try controllers[index].receive(reward: lane.running.rollout.rewards.last ?? 0)
                onStep(lane.episode, lane.running.rollout)
            }
            // Who is done makes room for the next episode.
            for index in lanes.indices.reversed() where lanes[index].running.isOver {
                let (episode, running, environment) = lanes.remove(at: index)
                let controller = controllers.remove(at: index)
                rollouts[episode] = running.rollout
                if begun < episodes { begin(in: environment, controller) }
            }
            if isStopped() { break }
        }
        let done = rollouts.compactMap { $0 }
        guard !done.isEmpty else { throw EvaluationStopped() }
        var report = EvaluationReport(
            done, in: environments[0].specification, planner: controller.options)
        report.seconds = (ContinuousClock.now - started) / .seconds(1)
        return (report, done)
    }
    /// Evaluates an agent as `evaluate(_:in:episodes:seed:…)` does, `workers` episodes at a time,
    /// each on a thread with an environment and a copy of the agent of its own.
    ///
    /// An episode depends on its seed alone: the returns are those of running one after the other.
    ///
    /// - Parameters:
    ///   - agent: Who acts.
    ///   - episodes: Number of episodes, at least one.
    ///   - workers: Episodes that run at the same time.
    ///   - seed: Seed of the first episode.
    ///   - options: How far episodes go, and what is kept of them.
    ///   - recordedEpisodes: Number of episodes, from the first, whose states are kept.
    ///   - makeEnvironment: Where.
    ///   - isStopped: Asked after each step, by one thread at a time; where it says so, the episodes
    ///     under way are given up.
    ///   - onStep: Called after every step, by one thread at a time, with the episode's number and
    ///     the episode so far.
    /// - Returns: The report, and the episodes it sums up: those that came to their end.
    /// - Throws: ``EvaluationStopped`` where none did; what `makeEnvironment` and the agent throw.
    public static func evaluate(
        _ agent: some Agent & Sendable, episodes: Int, workers: Int, seed: UInt64,
        options: Rollout.Options = .init(), recordedEpisodes: Int = 0,
        environment makeEnvironment: () throws -> any Environment,
        until isStopped: () -> Bool = { false },
        onStep: (Int, Rollout) -> Void = { _, _ in }
    ) throws -> (report: EvaluationReport, rollouts: [Rollout]) {
        let environments = try (0..<max(1, min(workers, episodes))).map { _ in
            try makeEnvironment()
        }
        let board = Mutex(EpisodeBoard(episodes))
        withoutActuallyEscaping(onStep) { onStep in
            withoutActuallyEscaping(isStopped) { isStopped in
                let lent = Lent(environments: environments, onStep: onStep, isStopped: isStopped)
                DispatchQueue.concurrentPerform(iterations: environments.count) { worker in
                    var agent = agent
                    while let episode = board.withLock({ $0.next() }) {
                        var options = options
                        options.recordsStates = options.recordsStates || episode < recordedEpisodes
                        let result = Result {
                            try Rollout(
                                of: &agent, in: lent.environments[worker],
                                seed: seed &+ UInt64(episode), options: options
                            ) { rollout in
                                try board.withLock {
                                    lent.onStep(episode, rollout)
                                    if lent.isStopped() { $0.isOver = true }
                                    if $0.isOver { throw EvaluationStopped() }
                                }
                            }
                        }
                        board.withLock { $0.end(episode, result) }
                    }
                }
            }
        }
        let results = board.withLock(\.results)
        if let error = results.lazy.compactMap({ $0?.failure }).first(where: {
            !($0 is EvaluationStopped)
        }) {
            throw error
        }
        let done = results.compactMap { try? $0?.get() }
        guard !done.isEmpty else { throw EvaluationStopped() }
        return (EvaluationReport(done, in: environments[0].specification), done)
    }
}

/// What threads have of who called: each an environment, and the callbacks in turn.
private struct Lent: @unchecked Sendable {
    let environments: [any Environment]
    let onStep: (Int, Rollout) -> Void
    let isStopped: () -> Bool
}

/// Which episodes are begun, and what came of those that are over.
private struct EpisodeBoard {
    private var begun = 0
    private(set) var results: [Result<Rollout, any Error>?]
    /// Whether no further one is begun and those under way are given up.
    var isOver = false

    init(_ episodes: Int) {
        results = Array(repeating: nil, count: episodes)
    }

    /// The next episode; nil where there is none.
    mutating func next() -> Int? {
        guard !isOver, begun < results.count else { return nil }
        defer { begun += 1 }
        return begun
    }

    mutating func end(_ episode: Int, _ result: Result<Rollout, any Error>) {
        results[episode] = result
        if result.failure != nil { isOver = true }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
