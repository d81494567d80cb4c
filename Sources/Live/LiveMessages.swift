public import MuJoCo
public import Planning

/// What is drawn, told once: the bodies' shapes, and how to look at them.
public struct LiveScene: Sendable, Encodable {
    /// From where a page looks.
    public enum View: String, Sendable, Hashable, Codable {
        /// From the side, for robots that move in a plane.
        case side
        /// From anywhere.
        case free
        /// From above, for mazes.
        case above
    }

    /// The ground that a maze covers, in metres.
    public struct Ground: Sendable, Hashable, Encodable {
        /// From where to where, along both axes.
        public var x, y: [Double]
    }

    /// Tells messages apart.
    let type = "scene"
    /// What the model is called.
    public var checkpoint: String
    /// Canonical name of the environment.
    public var environment: String
    /// From where to look.
    public var view: View
    /// Simulated seconds of a step.
    public var stepDuration: Double
    /// Steps after which an episode is cut.
    public var maximumSteps: Int
    /// Weight of a reward one step later.
    public var discount: Double
    /// Bodies, the world (0) included.
    public var bodies: Int
    /// The robot's first body, which is pushed.
    public var root: Int
    /// The robot's weight in newtons.
    public var weight: Double
    /// Bodies whose ways are drawn as lines.
    public var tracked: [Int]
    /// What bodies look like.
    public var shapes: [ModelShape]
    /// Whether plans tell where the bodies will be: the observations must say the pose.
    public var foresees: Bool
    /// What the critic is called, where one is loaded.
    public var critic: String?
    /// What a maze covers.
    public var ground: Ground?
    /// Metres to the goal that count as being there, in a maze.
    public var goalRadius: Double?
}

/// The first moment of an episode.
public struct LiveStart: Sendable, Encodable {
    /// Tells messages apart.
    let type = "start"
    /// Episodes so far, this one included.
    public var episode: Int
    /// Decides on the start and on what is sampled.
    public var seed: UInt64
    /// Where the bodies are: seven numbers each, position and quaternion.
    public var pose: PackedNumbers
    /// Where to go, in a maze.
    public var goal: [Double]?
}

/// What a decision foresaw.
public struct LivePlan: Sendable, Encodable {
    /// Steps taken before the decision.
    public var step: Int
    /// Transitions planned, and sequences kept.
    public var horizon, beamWidth: Int
    /// Wall-clock time of the search.
    public var milliseconds: Double
    /// Predicted rewards of the planned steps, and returns after each.
    public var rewards, values: [Double]
    /// Where the bodies will be, from the present on: horizon × bodies × 7; nil where observations
    /// do not tell.
    public var poses: PackedNumbers?
    /// Where the tracked bodies would be by other sequences of the beam: lines of
    /// ``beamPoints`` points each.
    public var beams: PackedNumbers?
    /// Points of a line.
    public var beamPoints: Int
}

/// A step that was taken.
public struct LiveStep: Sendable, Encodable {
    /// Tells messages apart.
    let type = "step"
    /// The episode's number.
    public var episode: Int
    /// Steps taken, this one included.
    public var step: Int
    /// Where the bodies are after it.
    public var pose: PackedNumbers
    /// What it paid, and the return so far.
    public var reward, totalReward: Double
    /// What the plan expected of it.
    public var predictedReward: Double
    /// The discounted return that the plan expected from this step on.
    public var predictedValue: Double
    /// How the episode ended with it: `terminal` or `timeout`; nil while it goes on.
    public var ending: String?
    /// Where to go, in a maze.
    public var goal: [Double]?
    /// What pushed the robot, in newtons.
    public var force: [Double]?
    /// The plan, where one was made before this step.
    public var plan: LivePlan?
}

/// How the session is controlled.
public struct LiveControls: Sendable, Encodable {
    /// Tells messages apart.
    let type = "controls"
    /// Whether steps follow each other by themselves.
    public var isRunning: Bool
    /// The most simulated seconds a second.
    public var speed: Double
    /// How plans are searched.
    public var search: PlannerOptions
}

/// Something a page should tell its reader.
struct LiveNotice: Encodable {
    let type = "error"
    var text: String
}
