import Episodes
import Policies
import RandomNumbers
import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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
    private var record: Trajectory
    /// Where it stands.
    private(set) var place = Place()
    /// The running episode so far, where episodes are recorded.
    var unfinished: Trajectory? { record.count > 0 ? record : nil }

    /// An explorer of the environment that `make` gives, number `index` of a run.
    init(
        _ index: Int, seed: UInt64, recordsEpisodes: Bool,
        make: @Sendable () throws -> any Environment
    ) rethrows {
        environment = try make()
        noise = CounterNumbers(seed: seed, stream: 16 + 2 * UInt64(index))
        starts = CounterNumbers(seed: seed, stream: 17 + 2 * UInt64(index))
        self.recordsEpisodes = recordsEpisodes
        record = Trajectory(layout: environment.specification.layout)
    }

    /// Takes `count` steps; actions are the policy's, drawn, or uniform.
    func act(_ policy: GaussianPolicy, isUniform: Bool, steps count: Int) -> Outcome {
        var outcome = Outcome()
        for _ in 0..<count {
            var running = begin()
            let observation = running.observation.map(Float.init)
            let sample = draw(policy, for: observation, isUniform: isUniform)
            let step = take(
                sample.squashed, sample.logProbability, policy, in: &running, observation)
            outcome.rows.observations += observation
            outcome.rows.actions += sample.squashed
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
                Array(place.actions[at..<at + width]), nil, policy, in: &running,
                running.observation.map(Float.init))
            finish(running, &outcome)
        }
        self.place.steps = place.steps
    }

    private func draw(
        _ policy: GaussianPolicy, for observation: [Float], isUniform: Bool
    ) -> GaussianPolicy.Sample {
        let width = policy.layout.actionDimension
        let first = UInt64(place.steps * width)
        let places = first..<(first + UInt64(width))
        guard isUniform else {
            return policy.sample(for: observation, noise: places.map { noise.normal($0) })
        }
        let uniform: [Float] = places.map { 2 * Float(noise.uniform($0)) - 1 }
        return GaussianPolicy.Sample(
            squashed: uniform, logProbability: -Double(width) * log(2.0))
    }

    private func begin() -> Episode {
        if let episode { return episode }
        place.episodes += 1
        place.actions = []
        return Episode(in: environment, seed: starts.value(UInt64(place.episodes - 1)))
    }

    private func take(
        _ squashed: [Float], _ logProbability: Double?, _ policy: GaussianPolicy,
        in running: inout Episode, _ observation: [Float]
    ) -> EnvironmentStep {
        var infos = recordsEpisodes ? environment.infos : [:]
        infos["action_log_probs"] = logProbability.map { [$0] }
        let action = policy.action(squashed).map(Float.init)
        let step = running.take(action.map(Double.init))
        place.steps += 1
        place.actions += squashed
        if recordsEpisodes {
            record.append(
                observation: observation, action: action, reward: Float(step.reward),
                infos: infos.mapValues { $0.map(Float.init) })
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
        record.ending = ending
        record.finalObservation = running.observation.map(Float.init)
        outcome.episodes.append(record)
        record = Trajectory(layout: record.layout)
    }
}
