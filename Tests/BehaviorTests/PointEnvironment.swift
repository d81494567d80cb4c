import Behavior
import Environments
import Trajectories

/// A point on a line that is paid for being near 0; an action moves it.
final class PointEnvironment: Environment {
    let specification = EnvironmentSpecification(
        identifier: "point-v4", family: "point",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [-1...1], maximumEpisodeSteps: 20,
        referenceScores: ReferenceScores(random: -20, expert: 0))
    private var position = 0.0

    func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        position = generator.uniform(-2, 2)
        return [position]
    }

    func step(_ action: [Double]) -> EnvironmentStep {
        position += action[0]
        let reward = -position * position
        return EnvironmentStep(
            observation: [position], reward: reward, isTerminated: abs(position) > 4,
            rewardTerms: [RewardTerm("nearness", reward)])
    }

    static func workers(_ count: Int) throws -> EpisodeWorkers {
        try EpisodeWorkers(count: count) { PointEnvironment() }
    }
}

/// Pushes with the same force always.
struct ConstantPolicy: Policy {
    let value: Double

    func action(for observation: [Double], using generator: inout PCG64) -> [Double] { [value] }
}
