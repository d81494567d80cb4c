package import Episodes
package import Policies
package import RandomNumbers
package import Trajectories

/// A point on a line that is paid for being near 0; an action moves it.
package final class PointEnvironment: Environment {
    package let specification = EnvironmentSpecification(
        identifier: "point-v4", family: "point",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [-1...1], maximumEpisodeSteps: 20,
        referenceScores: ReferenceScores(random: -20, expert: 0))
    private var position = 0.0

    package init() {}

    package func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        position = generator.uniform(-2, 2)
        return [position]
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        position += action[0]
        let reward = -position * position
        return EnvironmentStep(
            observation: [position], reward: reward, isTerminated: abs(position) > 4,
            rewardTerms: [RewardTerm("nearness", reward)])
    }

    package static func workers(_ count: Int) throws -> EpisodeWorkers {
        try EpisodeWorkers(count: count) { PointEnvironment() }
    }

    /// Episodes of a policy, from the starts of seeds 0 and up.
    package static func episodes(of policy: any Policy, count: Int) -> [Trajectory] {
        (0..<count).map { seed in
            var generator = PCG64(seed: UInt64(seed), 1)
            return Trajectory(of: Episode(in: PointEnvironment(), seed: UInt64(seed))) {
                policy.action(for: $0, using: &generator)
            }
        }
    }
}

/// Pushes with the same force always.
package struct ConstantPolicy: Policy {
    package let value: Double

    package init(value: Double) { self.value = value }

    package func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        [value]
    }
}

/// Moves the point towards 0, or away from it.
package struct ProportionalPolicy: Policy {
    package let gain: Double

    package init(gain: Double) { self.gain = gain }

    package func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        [min(max(gain * observation[0], -1), 1)]
    }
}
