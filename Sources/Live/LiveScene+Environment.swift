import Episodes
import Environments
import MuJoCo

extension LiveScene {
    /// The scene of an environment.
    init(
        of environment: any SimulatedEnvironment, figure: Figure, checkpoint: String,
        discount: Double, critic: String?
    ) {
        let model = environment.model
        let root = model.heaviestTree
        let maze = environment as? any MazeSimulation
        self.checkpoint = checkpoint
        self.environment = environment.specification.identifier
        // A quaternion, and so a body that moves freely, has one position more than velocities.
        let isFree = model.positionCount > model.velocityCount
        view = maze != nil ? .above : isFree ? .free : .side
        stepDuration = environment.stepDuration
        maximumSteps = environment.specification.maximumEpisodeSteps
        self.discount = discount
        bodies = model.bodyCount
        self.root = root
        weight = model.mass(ofTree: root) * 9.81
        // Of robots with many limbs the trunk alone: more lines would hide it.
        tracked = isFree || maze != nil ? [root] : [root] + model.leaves(ofTree: root)
        shapes = model.shapes.filter { $0.body > 0 || $0.kind == .box }
        foresees = figure.observed != nil
        self.critic = critic
        if let maze {
            let bounds = maze.map.bounds(cellSize: maze.cellSize)
            ground = Ground(
                x: [bounds.x.lowerBound, bounds.x.upperBound],
                y: [bounds.y.lowerBound, bounds.y.upperBound])
            goalRadius = maze.successRadius
        }
    }
}
