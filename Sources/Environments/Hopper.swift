package import Episodes
package import MuJoCo

/// Gymnasium's Hopper: a planar one-legged robot that is paid for hopping forward.
///
/// Observation (11): positions but the first, velocities clipped to [-10, 10]. Action (3): torques
/// at thigh, leg and foot in [-1, 1]. Reward: forward speed, plus 1 while healthy, minus 0.001 of
/// the squared action. Healthy: higher than 0.7 m, tilted less than 0.2 rad, nothing beyond 100.
package struct Hopper: LocomotionTask {
    package let version: GymnasiumVersion
    package let family = "hopper"
    package let modelFile = "hopper.xml"
    package let frameSkip = 4
    package let resetNoise = ResetNoise.uniform(scale: 5e-3)
    package let observationDimension = 11
    package let actionDimension = 3
    package let referenceScores: ReferenceScores? = ReferenceScores(
        random: -20.272305, expert: 3234.3)
    package let survivalBonus = 1.0

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package func observation(of data: MuJoCoData) -> [Double] {
        data.positions.dropFirst() + data.velocities.map { min(max($0, -10), 10) }
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool {
        // The limits themselves are unhealthy, and so is NaN, which fails every comparison.
        func isInside(_ value: Double) -> Bool { -100 < value && value < 100 }
        return positions[1] > 0.7 && -0.2 < positions[2] && positions[2] < 0.2
            && positions.dropFirst(2).allSatisfy(isInside) && velocities.allSatisfy(isInside)
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
