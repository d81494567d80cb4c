public import Episodes
public import MuJoCo

/// An environment on MuJoCo: its physical state can be read, for drawing, and set, for tests.
public protocol SimulatedEnvironment: Environment {
    /// The model that is simulated.
    var model: MuJoCoModel { get }

    /// Simulated seconds that a step of the environment takes.
    var stepDuration: Double { get }

    /// The state that continues the simulation exactly.
    var state: SimulationState { get }

    /// Puts the simulation into `state` and returns its observation.
    func set(_ state: SimulationState) -> [Double]

    /// Pulls a body of the model with a force, in newtons along the world's axes, during the steps
    /// to come; an episode begins without.
    func setForce(_ newtons: SIMD3<Double>, onBody index: Int)
}

extension SimulatedEnvironment {
    /// Positions and velocities.
    public var infos: [String: [Double]] {
        let state = state
        return ["qpos": state.positions, "qvel": state.velocities]
    }
}
