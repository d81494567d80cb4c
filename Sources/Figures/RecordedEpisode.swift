public import Datasets
public import Environments
import Episodes
public import Evaluation
public import Foundation
public import MuJoCo
public import Planning
import Trajectories

/// An episode to be drawn, wherever it comes from.
public struct RecordedEpisode: Sendable {
    /// What a plan foresaw.
    public struct Forecast: Sendable {
        /// Step at which the plan was made.
        public let step: Int
        /// Planned states; the first is that of ``step``.
        public let states: [SimulationState]
        /// Planned reward of each step.
        public let rewards: [Double]
    }

    /// Where it comes from, for a person.
    public let source: String
    /// States before each step, and after the last where that is known.
    public let states: [SimulationState]
    /// Reward of each step.
    public let rewards: [Double]
    /// Plans that were kept.
    public private(set) var forecasts: [Forecast] = []

    /// An episode that was run with its states kept.
    public init(_ rollout: Rollout, source: String) {
        self.source = source
        states = rollout.states
        rewards = rollout.rewards
    }

    /// Adds plans that a planner made in the episode.
    ///
    /// Where the robot is on the ground a plan does not say; it begins where the robot was.
    ///
    /// - Throws: ``FigureError`` when observations do not tell states.
    public mutating func addPlans(
        _ entries: [(step: Int, plan: Plan)], in environment: any SimulatedEnvironment
    ) throws(FigureError) {
        let observed = try Self.observedState(
            of: environment, dimension: environment.specification.layout.observationDimension)
        forecasts += entries.map { entry in
            let start = states[entry.step].positions
            return Forecast(
                step: entry.step,
                states: observed.states(
                    of: entry.plan.observations, stepDuration: environment.stepDuration,
                    start: Array(start.prefix(observed.omittedPositions))),
                rewards: entry.plan.rewards)
        }
    }

    /// An episode of a dataset, counted from 0; `file` is what errors call the data.
    ///
    /// - Throws: ``FigureError`` when there is no such episode or observations do not tell states.
    public init(
        of dataset: TrajectoryDataset, file: URL, episode index: Int,
        environment: any SimulatedEnvironment
    ) throws(FigureError) {
        let trajectories = dataset.trajectories
        guard trajectories.indices.contains(index) else {
            throw FigureError(
                code: .noEpisode, subject: "episode \(index) of '\(file.relativePath)'",
                detail: "it has episodes 0 to \(trajectories.count - 1)")
        }
        let observed = try Self.observedState(
            of: environment, dimension: dataset.layout.observationDimension)
        let trajectory = trajectories[index]
        source = "\(file.lastPathComponent), episode \(index)"
        states = observed.states(
            of: (0..<trajectory.count).map { trajectory.observation($0).map(Double.init) },
            stepDuration: environment.stepDuration,
            start: Array(environment.model.initialPositions.prefix(observed.omittedPositions)))
        rewards = trajectory.rewards.map(Double.init)
    }

    /// How observations of an environment, of which the first `dimension` numbers are there, tell
    /// its state.
    ///
    /// - Throws: ``FigureError`` when they do not.
    public static func observedState(
        of environment: any SimulatedEnvironment, dimension: Int
    ) throws(FigureError) -> ObservedState {
        let identifier = environment.specification.identifier
        guard let observed = environment.observedState else {
            throw FigureError(
                code: .unobservable, subject: "observations of \(identifier)",
                detail: "they do not tell positions and velocities")
        }
        guard dimension >= observed.count else {
            throw FigureError(
                code: .tooFewDimensions,
                subject: "\(dimension) observation dimensions of \(identifier)",
                detail: "positions and velocities are the first \(observed.count); read the data "
                    + "with so many or more")
        }
        return observed
    }
}
