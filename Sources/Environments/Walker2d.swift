package import Episodes
package import MuJoCo

/// Gymnasium's Walker2d: a planar two-legged robot that is paid for walking forward.
///
/// Observation (17): positions but the first, velocities clipped to [-10, 10]. Action (6): torques
/// at both thighs, legs and feet in [-1, 1]. Reward: forward speed, plus 1 while healthy, minus
/// 0.001 of the squared action. Healthy: between 0.8 and 2 m high, tilted less than 1 rad. The feet
/// of v4 differ in friction, those of v5 do not.
package struct Walker2d: LocomotionTask {
    package let version: GymnasiumVersion
    package let family = "walker2d"
    package let frameSkip = 4
    package let resetNoise = ResetNoise.uniform(scale: 5e-3)
    package let observationDimension = 17
    package let actionDimension = 6
    package let referenceScores: ReferenceScores? = ReferenceScores(
        random: 1.629008, expert: 4592.3)
    package let survivalBonus = 1.0

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package var modelFile: String {
        switch version {
        case .v4: "walker2d.xml"
        case .v5: "walker2d_v5.xml"
        }
    }

    package func observation(of data: MuJoCoData) -> [Double] {
        data.positions.dropFirst() + data.velocities.map { min(max($0, -10), 10) }
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool {
        0.8 < positions[1] && positions[1] < 2 && -1 < positions[2] && positions[2] < 1
    }

    package func rewardTerms(
        speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData
    ) -> [RewardTerm] {
        [
            RewardTerm("forward", speed), healthTerm(isHealthy),
            RewardTerm("control", -1e-3 * action.sumOfSquares),
        ]
    }
}
