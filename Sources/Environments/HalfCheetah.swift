package import Episodes
package import MuJoCo

/// Gymnasium's HalfCheetah: a planar two-legged robot that is paid for running forward.
///
/// Observation (17): positions but the first, velocities. Action (6): torques at both thighs, shins
/// and feet in [-1, 1]. Reward: forward speed minus 0.1 of the squared action. Nothing ends an
/// episode but the time limit, so v4 and v5 differ in name alone.
package struct HalfCheetah: LocomotionTask {
    package let version: GymnasiumVersion
    package let family = "halfcheetah"
    package let modelFile = "half_cheetah.xml"
    package let frameSkip = 5
    package let resetNoise = ResetNoise.uniformAndNormal(scale: 0.1)
    package let observationDimension = 17
    package let actionDimension = 6
    package let referenceScores: ReferenceScores? = ReferenceScores(
        random: -280.178953, expert: 12135.0)
    package let terminatesWhenUnhealthy = false

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package func observation(of data: MuJoCoData) -> [Double] {
        data.positions.dropFirst() + data.velocities
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool { true }

    package func rewardTerms(
        speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData
    ) -> [RewardTerm] {
        [RewardTerm("forward", speed), RewardTerm("control", -0.1 * action.sumOfSquares)]
    }
}
