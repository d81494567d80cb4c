import Agents
import Behavior
import Datasets
import Environments
import Episodes
import Evaluation
import Foundation
import MuJoCo
import Planning
import Policies
import Trajectories
import Transformer

/// An episode to be drawn, wherever it comes from.
struct RecordedEpisode {
    /// What a plan foresaw.
    struct Forecast {
        /// Step at which the plan was made.
        let step: Int
        /// Planned states; the first is that of ``step``.
        let states: [SimulationState]
        /// Planned reward of each step.
        let rewards: [Double]
    }

    /// Where it comes from, for a person.
    let source: String
    /// States before each step, and after the last where that is known.
    let states: [SimulationState]
    /// Reward of each step.
    let rewards: [Double]
    /// Plans that were kept.
    var forecasts: [Forecast] = []

    /// An episode of a policy; starts and whatever is random in it depend on `seed` alone.
    static func run(
        policy text: String, in environment: any SimulatedEnvironment, seed: UInt64,
        maximumSteps: Int?
    ) throws -> RecordedEpisode {
        var agent = PolicyAgent(try PolicyParser(environment.specification).parse(text))
        let rollout = try Rollout(
            of: &agent, in: environment, seed: seed,
            options: .init(maximumSteps: maximumSteps, recordsStates: true))
        return RecordedEpisode(
            source: "policy \(text), seed \(seed)", states: rollout.states,
            rewards: rollout.rewards)
    }

    /// An episode of a planner with its plans, `interval` steps or more apart; without an interval
    /// none are kept.
    static func run(
        controller: Controller, named name: String, in environment: any SimulatedEnvironment,
        seed: UInt64, maximumSteps: Int?, interval: Int?
    ) throws -> RecordedEpisode {
        var agent = PlanRecorder(controller, interval: interval ?? .max)
        let progress = ProgressLine()
        let rollout = try Rollout(
            of: &agent, in: environment, seed: seed,
            options: .init(maximumSteps: maximumSteps, recordsStates: true)
        ) { rollout in
            progress.show(
                String(
                    format: "planning  step %d  return %.0f", rollout.rewards.count,
                    rollout.totalReward))
        }
        progress.finish()
        var episode = RecordedEpisode(
            source: "checkpoint \(name), seed \(seed)", states: rollout.states,
            rewards: rollout.rewards)
        if interval != nil {
            let observed = try observedState(
                of: environment, dimension: environment.specification.layout.observationDimension)
            episode.forecasts = agent.entries.map { entry in
                let start = rollout.states[entry.step].positions
                return Forecast(
                    step: entry.step,
                    states: observed.states(
                        of: entry.plan.observations, stepDuration: environment.stepDuration,
                        start: Array(start.prefix(observed.omittedPositions))),
                    rewards: entry.plan.rewards)
            }
        }
        return episode
    }

    /// An episode of a dataset, counted from 0.
    static func read(
        _ dataset: TrajectoryDataset, file: String, episode index: Int,
        environment: any SimulatedEnvironment
    ) throws -> RecordedEpisode {
        let trajectories = dataset.trajectories
        guard trajectories.indices.contains(index) else {
            throw CommandError(
                description: "there is no episode \(index) in '\(file)': it has "
                    + "\(trajectories.count); give --episode from 0 to \(trajectories.count - 1)")
        }
        let observed = try observedState(
            of: environment, dimension: dataset.layout.observationDimension)
        let trajectory = trajectories[index]
        let observations = (0..<trajectory.count).map {
            trajectory.observation($0).map(Double.init)
        }
        return RecordedEpisode(
            source: "\(URL(fileURLWithPath: file).lastPathComponent), episode \(index)",
            states: observed.states(
                of: observations, stepDuration: environment.stepDuration,
                start: Array(environment.model.initialPositions.prefix(observed.omittedPositions))),
            rewards: trajectory.rewards.map(Double.init))
    }

    /// How observations of an environment, of which the first `dimension` numbers are there, tell its
    /// state.
    ///
    /// - Throws: ``CommandError`` when they do not.
    static func observedState(of environment: any SimulatedEnvironment, dimension: Int) throws
        -> ObservedState
    {
        let identifier = environment.specification.identifier
        guard let observed = environment.observedState else {
            throw CommandError(
                description:
                    "cannot draw observations of \(identifier): they do not tell positions "
                    + "and velocities; draw a policy or a checkpoint without --plans")
        }
        guard dimension >= observed.count else {
            throw CommandError(
                description: "cannot draw \(dimension) observation dimensions of \(identifier): "
                    + "positions and velocities are the first \(observed.count); read the data with "
                    + "so many or more (--observation-dimensions)")
        }
        return observed
    }
}
