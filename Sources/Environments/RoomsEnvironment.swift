public import Episodes
import RandomNumbers
import Trajectories

/// A point that goes from room to room on a map of its own in every episode, to a goal.
///
/// An action moves the point, by at most a metre along each axis; walls stop it. It observes its
/// place, then the doors of the map (``RoomPlan/doors``), which stay as they are in an episode.
/// Maps, start and goal depend on the seed. A step within half a metre of the goal is paid 1.
public final class RoomsEnvironment: MappedEnvironment {
    /// On which maps episodes are, by the environment's name.
    public enum Maps: String, Sendable, Hashable, CaseIterable {
        /// The maps of the data, 1,000 draws from 3,645.
        case seen = "rooms-v1"
        /// Any others.
        case unseen = "rooms-unseen-v1"
        /// The same others, of which nothing is observed but the place.
        case unobserved = "rooms-unobserved-v1"
    }

    /// What is fixed.
    public let specification: EnvironmentSpecification
    /// The rooms of this episode.
    public private(set) var plan: RoomPlan
    /// Its cells.
    public private(set) var map: MazeMap
    /// Where to go: x and y in metres.
    public var goal: [Double] = [0, 0]
    /// Where the point is: x and y in metres.
    public private(set) var achievedGoal: [Double] = [0, 0]
    /// Side of a cell in metres.
    public let cellSize = 1.0
    /// Metres that the point stays away from walls.
    public let agentRadius = 0.1
    /// Distance to the goal, in metres, that counts as being there.
    public let successRadius = 0.5
    private let maps: Maps

    /// What all of them are called, and their data.
    public static let family = "rooms"
    /// Columns of the observation that hold the map.
    public static let mapColumns = 2..<(2 + RoomPlan.walls.count)

    /// An environment whose episodes are on some maps.
    public init(_ maps: Maps) {
        self.maps = maps
        plan = RoomPlan.seen[0]
        map = plan.map
        specification = EnvironmentSpecification(
            identifier: maps.rawValue, family: Self.family,
            layout: TransitionLayout(
                observationDimension: maps == .unobserved ? 2 : Self.mapColumns.upperBound,
                actionDimension: 2),
            actionLimits: [-1...1, -1...1], maximumEpisodeSteps: 100, goalColumns: [0, 1])
    }

    /// Starts an episode on a map, from a start and to a goal that `seed` decides on.
    public func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        plan =
            switch maps {
            case .seen: RoomPlan.drawSeen(using: &generator)
            case .unseen, .unobserved: RoomPlan.drawUnseen(using: &generator)
            }
        map = plan.map
        let cells = map.startCells
        func point() -> [Double] {
            let center = map.center(
                of: cells[generator.index(below: cells.count)], cellSize: cellSize)
            let x = center.x + generator.uniform(-0.25, 0.25) * cellSize
            let y = center.y + generator.uniform(-0.25, 0.25) * cellSize
            return [x, y]
        }
        goal = point()
        repeat { achievedGoal = point() } while isReached()
        return observation
    }

    /// Moves the point by `action`, as far as walls let it.
    public func step(_ action: [Double]) -> EnvironmentStep {
        // In parts shorter than a wall is thick, along each axis for itself: a point slides along
        // walls.
        let parts = 10
        let move = specification.clipped(action).map { $0 / Double(parts) }
        for _ in 0..<parts {
            for axis in 0..<2 {
                var place = achievedGoal
                place[axis] += move[axis]
                if isFree(place) { achievedGoal = place }
            }
        }
        let reward = isReached() ? 1.0 : 0
        return EnvironmentStep(
            observation: observation, reward: reward, isTerminated: false,
            rewardTerms: [RewardTerm("goal", reward)])
    }

    private var observation: [Double] {
        maps == .unobserved ? achievedGoal : achievedGoal + plan.doors.map(Double.init)
    }

    /// Whether the point fits at a place.
    private func isFree(_ place: [Double]) -> Bool {
        [-agentRadius, agentRadius].allSatisfy { x in
            [-agentRadius, agentRadius].allSatisfy { y in
                let cell = map.position(x: place[0] + x, y: place[1] + y, cellSize: cellSize)
                return map[cell] != .wall
            }
        }
    }
}
