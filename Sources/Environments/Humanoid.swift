package import Episodes
package import MuJoCo

/// Gymnasium's Humanoid: a two-legged robot in space that is paid for running along x.
///
/// Observation: positions but x and y (22), velocities (23), then for every body its inertia (10),
/// velocity (6), the actuators' forces, and the contact force on every body (6). v4 counts the
/// world body and the six actuator forces at the root, all zero, and has 376 numbers; v5 has 348.
/// Action (17): torques in [-0.4, 0.4]. Reward: 1.25 of the forward speed of the centre of mass,
/// plus 5 while healthy, minus 0.1 of the squared action, and in v5 minus 5e-7 of the squared
/// contact forces, at most 10. Healthy: between 1 and 2 m high.
package struct Humanoid: LocomotionTask {
    package let version: GymnasiumVersion
    package let family = "humanoid"
    package let modelFile = "humanoid.xml"
    package let frameSkip = 5
    package let resetNoise = ResetNoise.uniform(scale: 1e-2)
    package let actionDimension = 17
    package let actionLimit = 0.4
    package let referenceScores: ReferenceScores? = nil
    package let survivalBonus = 5.0
    package let usesContactForces = true

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package var observationDimension: Int { version == .v4 ? 376 : 348 }

    /// The centre of mass, as the last physics step left it (one stage of the integrator behind).
    package func progress(of data: MuJoCoData) -> Double { data.centerOfMass.x }

    package func observation(of data: MuJoCoData) -> [Double] {
        let (bodies, joints) = version == .v4 ? (0, 0) : (1, 6)
        var observation = data.positions.dropFirst(2) + data.velocities
        observation += data.inertias.dropFirst(10 * bodies)
        observation += data.bodyVelocities.dropFirst(6 * bodies)
        observation += data.actuatorForces.dropFirst(joints)
        observation += data.contactForces.dropFirst(6 * bodies)
        return Array(observation)
    }

    package func isHealthy(positions: [Double], velocities: [Double]) -> Bool {
        1 < positions[2] && positions[2] < 2
    }

    package func rewardTerms(
        speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData
    ) -> [RewardTerm] {
        var terms = [
            RewardTerm("forward", 1.25 * speed), healthTerm(isHealthy),
            RewardTerm("control", -0.1 * action.sumOfSquares),
        ]
        if version == .v5 {
            terms.append(RewardTerm("contact", -min(5e-7 * data.contactForces.sumOfSquares, 10)))
        }
        return terms
    }
}
