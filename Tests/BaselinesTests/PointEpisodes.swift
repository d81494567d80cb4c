import Behavior
import Environments
import Trajectories

/// A point on a line that is paid for being near 0; an action moves it.
final class PointEnvironment: Environment {
    let specification = EnvironmentSpecification(
        identifier: "point-v4", family: "point",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [-1...1], maximumEpisodeSteps: 20)
    private var position = 0.0

    func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        position = generator.uniform(-2, 2)
        return [position]
    }

    func step(_ action: [Double]) -> EnvironmentStep {
        position += action[0]
        return EnvironmentStep(
            observation: [position], reward: -position * position, isTerminated: abs(position) > 4)
    }
}

/// Moves the point towards 0, or away from it.
struct ProportionalPolicy: Policy {
    let gain: Double

    func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        [min(max(gain * observation[0], -1), 1)]
    }
}

enum PointEpisodes {
    static let specification = PointEnvironment().specification

    /// Episodes of a policy, from the starts of seeds 0 and up.
    static func collect(_ policy: any Policy, episodes: Int) -> [Trajectory] {
        let environment = PointEnvironment()
        return (0..<episodes).map { seed in
            var generator = PCG64(seed: UInt64(seed), 1)
            var trajectory = Trajectory(layout: specification.layout)
            var limit = TimeLimit(specification)
            var observation = environment.reset(seed: UInt64(seed))
            while true {
                let action = policy.action(for: observation, using: &generator)
                let step = environment.step(action)
                trajectory.append(
                    observation: observation.map(Float.init), action: action.map(Float.init),
                    reward: Float(step.reward))
                if step.isTerminated { trajectory.ending = .terminal }
                if limit.advance(), !step.isTerminated { trajectory.ending = .timeout }
                guard trajectory.ending == .unfinished else { return trajectory }
                observation = step.observation
            }
        }
    }
}
