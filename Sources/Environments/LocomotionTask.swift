package import Episodes
package import MuJoCo
package import RandomNumbers
import Trajectories

/// What distinguishes one of Gymnasium's locomotion robots from another.
///
/// ``LocomotionEnvironment`` does what they share; a robot is a short file with one such value.
package protocol LocomotionTask: Sendable {
    /// Which rules of Gymnasium hold.
    var version: GymnasiumVersion { get }
    /// The robot whatever the version, such as `hopper`.
    var family: String { get }
    /// MJCF file of the robot.
    var modelFile: String { get }
    /// Physics steps in one environment step.
    var frameSkip: Int { get }
    /// How starts are drawn.
    var resetNoise: ResetNoise { get }
    /// Numbers in an observation.
    var observationDimension: Int { get }
    /// Numbers in an action.
    var actionDimension: Int { get }
    /// Each action lies in [-actionLimit, actionLimit]; 1 unless said otherwise.
    var actionLimit: Double { get }
    /// Returns that count as 0 and as 100, if D4RL has them.
    var referenceScores: ReferenceScores? { get }
    /// Reward paid on every step for merely not having failed; 0 unless said otherwise.
    var survivalBonus: Double { get }
    /// Whether an unhealthy state ends the episode; so it does unless said otherwise.
    var terminatesWhenUnhealthy: Bool { get }
    /// Whether contact forces are observed or paid for; they are computed only then.
    var usesContactForces: Bool { get }
    /// Canonical name; `family-version` unless said otherwise.
    var identifier: String { get }

    /// The coordinate whose speed is rewarded; the first position unless said otherwise.
    func progress(of data: MuJoCoData) -> Double
    /// The observation of the state as it is.
    func observation(of data: MuJoCoData) -> [Double]
    /// Whether a state is one to carry on from.
    func isHealthy(positions: [Double], velocities: [Double]) -> Bool
    /// The parts of a step's reward, in the order in which Gymnasium adds them.
    func rewardTerms(speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData)
        -> [RewardTerm]
}

extension LocomotionTask {
    package var actionLimit: Double { 1 }
    package var survivalBonus: Double { 0 }
    package var terminatesWhenUnhealthy: Bool { true }
    package var usesContactForces: Bool { false }
    package var identifier: String { "\(family)-\(version)" }

    package func progress(of data: MuJoCoData) -> Double { data.firstPosition }

    /// What is fixed about the robot's environment.
    package var specification: EnvironmentSpecification {
        EnvironmentSpecification(
            identifier: identifier, family: family,
            layout: TransitionLayout(
                observationDimension: observationDimension, actionDimension: actionDimension),
            actionLimits: Array(repeating: -actionLimit...actionLimit, count: actionDimension),
            maximumEpisodeSteps: 1000, referenceScores: referenceScores,
            survivalBonus: survivalBonus)
    }

    /// What v4 pays for health on every step, also the terminating one, and v5 only when healthy.
    func healthTerm(_ isHealthy: Bool) -> RewardTerm {
        RewardTerm("healthy", version == .v4 || isHealthy ? survivalBonus : 0)
    }
}

/// The two ways in which Gymnasium's environments reward the step that terminates.
public enum GymnasiumVersion: String, Sendable, Hashable, CaseIterable {
    /// The bonus for being healthy is also paid on the terminating step, as in D4RL's data.
    case v4
    /// It is not paid on that step.
    case v5
}

/// How the start of an episode differs from the model's initial pose.
///
/// Seeds give the starts that they give in Gymnasium.
package enum ResetNoise: Sendable {
    /// Each position and velocity is moved by uniform noise in [-scale, scale].
    case uniform(scale: Double)
    /// Positions are moved by uniform noise in [-scale, scale], velocities by normal noise of
    /// deviation `scale`.
    case uniformAndNormal(scale: Double)

    /// A start drawn around the initial pose: all positions first, then all velocities.
    package func start(of model: MuJoCoModel, using generator: inout PCG64) -> SimulationState {
        switch self {
        case .uniform(let scale):
            let positions = model.initialPositions.map { $0 + generator.uniform(-scale, scale) }
            let velocities = (0..<model.velocityCount).map { _ in
                0 + generator.uniform(-scale, scale)
            }
            return SimulationState(positions: positions, velocities: velocities)
        case .uniformAndNormal(let scale):
            let positions = model.initialPositions.map { $0 + generator.uniform(-scale, scale) }
            let velocities = (0..<model.velocityCount).map { _ in
                scale * generator.standardNormal()
            }
            return SimulationState(positions: positions, velocities: velocities)
        }
    }
}

extension Array where Element == Double {
    /// What control and contact costs are made of.
    var sumOfSquares: Double { reduce(0) { $0 + $1 * $1 } }
}
