public import Episodes
public import MuJoCo
public import Rendering

extension SceneRenderer.Settings {
    /// A good view of an environment: planar robots from the side, others from the front and above,
    /// mazes from straight above; by what the model is where the family is not known.
    public init(for specification: EnvironmentSpecification, model: MuJoCoModel) {
        self.init()
        switch specification.family {
        case let family where family.contains("maze"):
            aim = .model
            distance = nil
            elevation = -90
        case "hopper":
            break
        case "walker2d":
            aim = .body("torso", height: 0.75)
            distance = 3.6
        case "halfcheetah":
            aim = .body("torso", height: 0.45)
            distance = 3.2
        case "ant":
            show(fromFront: "torso", height: 0.35, distance: 4.0, elevation: -22)
        case "humanoid":
            show(fromFront: "torso", height: 0.85, distance: 3.6, elevation: -14)
        // A quaternion, and so a body that moves freely, has one position more than velocities.
        case _ where model.positionCount > model.velocityCount:
            show(fromFront: "torso", height: nil, distance: nil, elevation: -20)
        default:
            aim = .body("torso", height: nil)
            distance = nil
        }
    }

    private mutating func show(
        fromFront body: String, height: Double?, distance: Double?, elevation: Double
    ) {
        aim = .body(body, height: height)
        self.distance = distance
        // Robots run along x, so that they come towards the eye and to the right.
        azimuth = 130
        self.elevation = elevation
    }
}
