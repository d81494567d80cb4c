package import MuJoCo
import Trajectories

/// The two ways in which Gymnasium's environments reward the step that terminates.
public enum GymnasiumVersion: String, Sendable, Hashable, CaseIterable {
    /// The bonus for being healthy is also paid on the terminating step, as in D4RL's data.
    case v4
    /// It is not paid on that step.
    case v5
}

/// Gymnasium's Hopper: a planar one-legged robot that is paid for hopping forward.
///
/// Observation (11): positions but the first, velocities clipped to [-10, 10]. Action (3): torques
/// at thigh, leg and foot in [-1, 1]. Reward: forward speed, plus 1 while healthy, minus 0.001 of
/// the squared action. Healthy: higher than 0.7 m, tilted less than 0.2 rad, nothing beyond 100.
package struct Hopper: LocomotionTask {
    package let version: GymnasiumVersion

    package init(_ version: GymnasiumVersion) {
        self.version = version
    }

    package var modelFile: String { "hopper.xml" }
    package var frameSkip: Int { 4 }
    package var resetNoise: ResetNoise { .uniform(scale: 5e-3) }
    package var terminatesWhenUnhealthy: Bool { true }

    package var specification: EnvironmentSpecification {
        EnvironmentSpecification(
            identifier: "hopper-\(version)", family: "hopper",
            layout: TransitionLayout(observationDimension: 11, actionDimension: 3),
            actionLimits: Array(repeating: -1...1, count: 3), maximumEpisodeSteps: 1000,
            referenceScores: ReferenceScores(random: -20.272305, expert: 3234.3), survivalBonus: 1)
    }

    package func progress(of data: MuJoCoData) -> Double { data.firstPosition }

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
        let isPaid = version == .v4 || isHealthy
        return [
            RewardTerm("forward", speed), RewardTerm("healthy", isPaid ? 1 : 0),
            RewardTerm("control", -1e-3 * action.reduce(0) { $0 + $1 * $1 }),
        ]
    }
}
