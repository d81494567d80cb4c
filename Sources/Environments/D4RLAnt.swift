package import MuJoCo

/// The robot of D4RL's AntMaze, which is not that of Gymnasium's ``Ant``.
///
/// Its shape is the same, and so is its model file. But a control of 1 is 30 N m instead of 150,
/// physics steps take 0.02 s instead of 0.01 s, five of them a step of the environment, and contacts
/// are softer (d4rl/locomotion/assets/ant.xml and ant.py; actions are scaled to [-1, 1] there by
/// `NormalizedBoxEnv`). It walks at about a metre a second.
package enum D4RLAnt {
    /// Physics steps in one environment step.
    package static let frameSkip = 5
    /// Numbers that describe the pose.
    package static let positionCount = 15
    /// Numbers that describe the motion.
    package static let velocityCount = 14
    /// How starts differ from the initial pose.
    package static let resetNoise = ResetNoise.uniformAndNormal(scale: 0.1)

    /// The robot in a world with `walls`.
    package static func model(among walls: [StaticBox] = []) throws(SimulationError)
        -> MuJoCoModel
    {
        var changes = ModelChanges()
        changes.timestep = 0.02
        changes.gear = 30
        changes.contactImpedance = (0.8, 0.8, 0.01)
        return try MuJoCoModel(
            contentsOf: ModelLibrary.url(of: "ant.xml"), adding: walls, changes: changes)
    }

    /// The upright part of the torso's own vertical: 1 where it stands, -1 on its back.
    package static func uprightness(of positions: [Double]) -> Double {
        let (x, y) = (positions[4], positions[5])
        return 1 - 2 * (x * x + y * y)
    }
}
