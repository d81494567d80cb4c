import Episodes
package import MuJoCo
package import Trajectories

/// What moves in a maze: a robot, and how large a maze is built for it.
package protocol MazeAgent: Sendable {
    /// What environments of this agent are called, such as `pointmaze`.
    var family: String { get }
    /// The version that their names end in, such as `v3`.
    var version: String { get }
    /// MJCF file of the robot.
    var modelFile: String { get }
    /// Side of a cell in metres.
    var cellSize: Double { get }
    /// Height of a wall in metres.
    var wallHeight: Double { get }
    /// Radius of the sphere that touches walls first, in metres.
    var radius: Double { get }
    /// Physics steps in one environment step.
    var frameSkip: Int { get }
    /// Sizes of observation and action.
    var layout: TransitionLayout { get }
    /// Columns of the observation that hold x and y; nil where they are not observed.
    var placeColumns: [Int]? { get }

    /// Steps after which an episode in a map is cut.
    func maximumEpisodeSteps(in map: String) -> Int
    /// Takes a step of the environment.
    func advance(_ data: MuJoCoData, action: [Double])
    /// The observation of the state as it is.
    func observation(of data: MuJoCoData) -> [Double]
}

/// Gymnasium-Robotics' point: a ball with a motor for each axis.
///
/// Observation (4): position and velocity. Action (2): force along x and y, in units of 100 N. A
/// step clips action and velocity (to 5 m/s) before the physics, so an observed speed can be above
/// 5.
package struct PointAgent: MazeAgent {
    package let family = "pointmaze"
    package let version = "v3"
    package let modelFile = "point.xml"
    package let cellSize = 1.0
    package let wallHeight = 0.4
    package let radius = 0.1
    package let frameSkip = 1
    package let layout = TransitionLayout(observationDimension: 4, actionDimension: 2)
    package let placeColumns: [Int]? = [0, 1]

    package init() {}

    package func maximumEpisodeSteps(in map: String) -> Int {
        map.hasPrefix("umaze") || map.hasPrefix("open") ? 300 : map.hasPrefix("large") ? 800 : 600
    }

    package func advance(_ data: MuJoCoData, action: [Double]) {
        data.velocities = data.velocities.map { min(max($0, -5), 5) }
        data.forward()
        data.controls = action.map { min(max($0, -1), 1) }
        data.step(frameSkip)
    }

    package func observation(of data: MuJoCoData) -> [Double] { data.positions + data.velocities }
}

/// Gymnasium's ``Ant`` in a maze; its own reward and health do not count, so a fallen ant carries
/// on.
package struct AntAgent: MazeAgent {
    private let ant: Ant

    package let family = "antmaze"
    /// An ant observes its body, not where it is.
    package let placeColumns: [Int]? = nil
    package let cellSize = 4.0
    package let wallHeight = 2.0
    /// That of its torso; legs fold.
    package let radius = 0.25

    package init(_ version: GymnasiumVersion) {
        ant = Ant(version)
    }

    package var version: String { ant.version.rawValue }
    package var modelFile: String { ant.modelFile }
    package var frameSkip: Int { ant.frameSkip }
    package var layout: TransitionLayout { ant.specification.layout }

    package func maximumEpisodeSteps(in map: String) -> Int {
        map.hasPrefix("umaze") || map.hasPrefix("open") ? 700 : 1000
    }

    package func advance(_ data: MuJoCoData, action: [Double]) {
        data.controls = action
        data.step(frameSkip)
        if ant.usesContactForces { data.rnePostConstraint() }
    }

    package func observation(of data: MuJoCoData) -> [Double] { ant.observation(of: data) }
}
