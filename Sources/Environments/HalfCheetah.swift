package import MuJoCo
import Trajectories

/// Gymnasium's HalfCheetah: a planar two-legged robot that is paid for running forward.
///
/// Observation (17): positions but the first, velocities. Action (6): torques at both thighs, shins
/// and feet in [-1, 1]. Reward: forward speed minus 0.1 of the squared action. Nothing ends an
/// episode but the time limit, so v4 and v5 differ in name alone.
package struct HalfCheetah: LocomotionTask {
    package let version: GymnasiumVersion

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package var modelFile: String { "half_cheetah.xml" }
    package var frameSkip: Int { 5 }
    package var resetNoise: ResetNoise { .uniformAndNormal(scale: 0.1) }
    package var terminatesWhenUnhealthy: Bool { false }

    package var specification: EnvironmentSpecification {
        EnvironmentSpecification(
            identifier: "halfcheetah-\(version)", family: "halfcheetah",
            layout: TransitionLayout(observationDimension: 17, actionDimension: 6),
            actionLimits: Array(repeating: -1...1, count: 6), maximumEpisodeSteps: 1000,
            referenceScores: ReferenceScores(random: -280.178953, expert: 12135.0))
    }

    package func progress(of data: MuJoCoData) -> Double { data.firstPosition }

    package func observation(of data: MuJoCoData) -> [Double] {
        data.positions.dropFirst() + data.velocities
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool { true }

    package func rewardTerms(
        speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData
    ) -> [RewardTerm] {
        [
            RewardTerm("forward", speed),
            RewardTerm("control", -0.1 * action.reduce(0) { $0 + $1 * $1 }),
        ]
    }
}
