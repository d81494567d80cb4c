package import MuJoCo

/// What distinguishes one of Gymnasium's locomotion robots from another.
///
/// ``LocomotionEnvironment`` does what they share; a robot is a short file with one such value.
package protocol LocomotionTask: Sendable {
    /// MJCF file of the robot.
    var modelFile: String { get }
    /// Physics steps in one environment step.
    var frameSkip: Int { get }
    /// How starts are drawn.
    var resetNoise: ResetNoise { get }
    /// What is fixed about the environment.
    var specification: EnvironmentSpecification { get }
    /// Whether an unhealthy state ends the episode.
    var terminatesWhenUnhealthy: Bool { get }

    /// The coordinate whose speed is rewarded.
    func progress(of data: MuJoCoData) -> Double
    /// The observation of the state as it is.
    func observation(of data: MuJoCoData) -> [Double]
    /// Whether a state is one to carry on from.
    func isHealthy(positions: [Double], velocities: [Double]) -> Bool
    /// The parts of a step's reward, in the order in which Gymnasium adds them.
    func rewardTerms(speed: Double, action: [Double], isHealthy: Bool, data: MuJoCoData)
        -> [RewardTerm]
}

/// How the start of an episode differs from the model's initial pose.
package enum ResetNoise: Sendable {
    /// Each position and velocity is moved by uniform noise in [-scale, scale].
    case uniform(scale: Double)
    /// Positions are moved by uniform noise in [-scale, scale], velocities by normal noise of
    /// deviation `scale`.
    ///
    /// Positions are Gymnasium's for the same seed; velocities follow its distribution and are not
    /// its draws, which come from NumPy's ziggurat tables.
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
            let velocities = (0..<model.velocityCount).map { _ in scale * generator.normal() }
            return SimulationState(positions: positions, velocities: velocities)
        }
    }
}
