import Episodes
import Policies
import RandomNumbers
import Trajectories

/// Acts in one environment, some steps at a time, one episode after the other.
///
/// Noise and starts are numbers of the environment's own streams, counted by its steps and episodes,
/// so that they depend on nothing else, and a running episode can be had again from its actions.
actor SoftActorCriticExplorer {
    /// Where an explorer stands: enough to put another there.
    struct Place: Sendable, Equatable {
        /// Episodes begun, the running one included.
        var episodes = 0
        /// Steps taken in all.
        var steps = 0
        /// Actions of the running episode, row after row, in -1...1.
        var actions: [Float] = []
    }

    /// What came of some steps.
    struct Outcome: Sendable {
        var rows = SoftActorCriticRows()
        /// Returns of the episodes that ended.
        var returns: [Double] = []
        /// These episodes, where they are asked for.
        var episodes: [Trajectory] = []
    }

    private let environment: any Environment
    private let noise, starts: CounterNumbers
    private let recordsEpisodes: Bool
    private var episode: Episode?
    private var log: Trajectory
    /// Where it stands.
    private(set) var place = Place()
    /// The running episode so far, where episodes are recorded.
    var unfinished: Trajectory? { log.count > 0 ? log : nil }

    /// An explorer of the environment that `make` gives, number `index` of a run.
    init(
        _ index: Int, seed: UInt64, recordsEpisodes: Bool,
        make: @Sendable () throws -> any Environment
    ) rethrows {
        environment = try make()
        noise = CounterNumbers(seed: seed, stream: 16 + 2 * UInt64(index))
        starts = CounterNumbers(seed: seed, stream: 17 + 2 * UInt64(index))
        self.recordsEpisodes = recordsEpisodes
        log = Trajectory(layout: environment.specification.layout)
    }

    /// Takes `count` steps; actions are the policy's, drawn, or uniform.
    func act(_ policy: GaussianPolicy, isUniform: Bool, steps count: Int) -> Outcome {
        let width = policy.layout.actionDimension
        var outcome = Outcome()
        for _ in 0..<count {
            var running = begin()
            let observation = running.observation.map(Float.init)
            let first = UInt64(place.steps * width)
            let squashed =
                isUniform
                ? (0..<width).map { Float(2 * noise.uniform(first + UInt64($0)) - 1) }
                : policy.sample(
                    for: observation, noise: (0..<width).map { noise.normal(first + UInt64($0)) }
                ).squashed
            let step = take(squashed, policy, in: &running, observation)
            outcome.rows.observations += observation
            outcome.rows.actions += squashed
            outcome.rows.rewards.append(Float(step.reward))
            outcome.rows.terminals.append(step.isTerminated ? 1 : 0)
            outcome.rows.nextObservations += step.observation.map(Float.init)
            finish(running, &outcome)
        }
        return outcome
    }

    /// Goes to where another explorer of the same number and seed stood.
    func go(to place: Place, _ policy: GaussianPolicy) {
        episode = nil
        self.place = Place(
            episodes: place.episodes - (place.actions.isEmpty ? 0 : 1), steps: place.steps)
        let width = policy.layout.actionDimension
        var outcome = Outcome()
        for at in stride(from: 0, to: place.actions.count, by: width) {
            var running = begin()
            _ = take(
                Array(place.actions[at..<at + width]), policy, in: &running,
                running.observation.map(Float.init))
            finish(running, &outcome)
        }
        self.place.steps = place.steps
    }

    private func begin() -> Episode {
        if let episode { return episode }
        place.episodes += 1
        place.actions = []
        return Episode(in: environment, seed: starts.value(UInt64(place.episodes - 1)))
    }

    private func take(
        _ squashed: [Float], _ policy: GaussianPolicy, in running: inout Episode,
        _ observation: [Float]
    ) -> EnvironmentStep {
        let action = policy.action(squashed).map(Float.init)
        let step = running.take(action.map(Double.init))
        place.steps += 1
        place.actions += squashed
        if recordsEpisodes {
            log.append(observation: observation, action: action, reward: Float(step.reward))
        }
        return step
    }

    private func finish(_ running: Episode, _ outcome: inout Outcome) {
        guard let ending = running.ending else {
            episode = running
            return
        }
        episode = nil
        place.actions = []
        outcome.returns.append(running.totalReward)
        guard recordsEpisodes else { return }
        log.ending = ending
        outcome.episodes.append(log)
        log = Trajectory(layout: log.layout)
    }
}
