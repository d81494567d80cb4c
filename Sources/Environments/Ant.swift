package import Episodes
package import MuJoCo

/// Gymnasium's Ant: a four-legged robot in space that is paid for running along x.
///
/// Observation: positions but x and y (13), velocities (14), and, where contact forces are used,
/// those on every body clipped to [-1, 1]: 84 numbers with the world body (v4, 111 in all, the size
/// of D4RL's data), 78 without (v5, 105 in all). Action (8): torques at hips and ankles in [-1, 1].
/// Reward: forward speed of the torso, plus 1 while healthy, minus 0.5 of the squared action and
/// 0.0005 of the squared contact forces. Healthy: finite, and between 0.2 and 1 m high.
package struct Ant: LocomotionTask {
    package let version: GymnasiumVersion
    /// Whether contact forces are observed and paid for; always in v5.
    package let usesContactForces: Bool
    package let family = "ant"
    package let modelFile = "ant.xml"
    package let frameSkip = 5
    package let resetNoise = ResetNoise.uniformAndNormal(scale: 0.1)
    package let actionDimension = 8
    package let referenceScores: ReferenceScores? = ReferenceScores(random: -325.6, expert: 3879.7)
    package let survivalBonus = 1.0

    package init(_ version: GymnasiumVersion, withContactForces: Bool = false) {
        self.version = version
        usesContactForces = withContactForces || version == .v5
    }

    package var identifier: String {
        "ant-\(version)" + (version == .v4 && usesContactForces ? "-contact" : "")
    }

    package var observationDimension: Int {
        27 + 6 * (14 - firstBody) * (usesContactForces ? 1 : 0)
    }

    /// The first body whose contact force is observed; v5 leaves out the world, which has none.
    private var firstBody: Int { version == .v4 ? 0 : 1 }

    /// Where the torso is, as the last physics step left it (one stage of the integrator behind).
    package func progress(of data: MuJoCoData) -> Double { data.position(ofBody: 1).x }

    package func observation(of data: MuJoCoData) -> [Double] {
        let proprioception = data.positions.dropFirst(2) + data.velocities
        guard usesContactForces else { return Array(proprioception) }
        return Array(proprioception) + clippedForces(data).dropFirst(6 * firstBody)
    }

    private func clippedForces(_ data: MuJoCoData) -> [Double] {
        data.contactForces.map { min(max($0, -1), 1) }
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool {
        0.2 <= positions[2] && positions[2] <= 1 && positions.allSatisfy(\.isFinite)
            && velocities.allSatisfy(\.isFinite)
    }

    package func rewardTerms(
        speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData
    ) -> [RewardTerm] {
        var terms = [
            RewardTerm("forward", speed), healthTerm(isHealthy),
            RewardTerm("control", -0.5 * action.sumOfSquares),
        ]
        if usesContactForces {
            terms.append(RewardTerm("contact", -5e-4 * clippedForces(data).sumOfSquares))
        }
        return terms
    }
}
