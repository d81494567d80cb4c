package import Episodes
import Foundation
package import MuJoCo
import RandomNumbers
import Trajectories

/// The task on which the walker of D4RL's AntMaze is trained: get to a goal, then to the next.
///
/// The robot is ``D4RLAnt`` on open ground. A goal lies 1 to 10 m away in any direction, and is
/// replaced by another, seen from where the robot then is, when it is reached. A step pays twice the
/// speed towards the goal in metres a second, 1 while healthy, minus 0.05 of the squared action. An
/// episode ends where the robot is on its back or as high as for ``Ant``; in the maze it would not.
///
/// Observation (29): what ``Ant`` observes without contact forces, and the way to the goal, at most
/// ``sight`` long; all of it as seen by somebody who stands where the robot is and looks where it
/// looks. So what it learned of one direction holds for every heading, which drifts as it walks.
package final class AntGoalEnvironment: SimulatedEnvironment {
    /// The environment's name.
    package static let identifier = "ant-goal-v0"
    /// Metres that a goal is observed to be away at most: beyond, its direction alone matters.
    package static let sight = 2.0
    /// Distance to a goal, in metres, that counts as being there, as in the mazes.
    package static let successRadius = 0.5
    /// Metres a second beyond which no more is paid: MuJoCo puts back what it cannot compute.
    private static let fastest = 10.0
    /// Metres between the robot and a new goal.
    private static let distances = 1.0...10.0

    package let specification: EnvironmentSpecification
    package let model: MuJoCoModel
    package let stepDuration: Double
    /// Where to go: x and y in metres.
    package private(set) var goal = [0.0, 0.0]
    private let data: MuJoCoData
    private var generator = PCG64(seed: 0)

    package init() throws(SimulationError) {
        model = try D4RLAnt.model()
        data = try MuJoCoData(model: model)
        stepDuration = model.timestep * Double(D4RLAnt.frameSkip)
        specification = EnvironmentSpecification(
            identifier: Self.identifier, family: "ant-goal",
            layout: TransitionLayout(observationDimension: 29, actionDimension: 8),
            actionLimits: model.controlRanges, maximumEpisodeSteps: 1000, survivalBonus: 1)
    }

    package func reset(seed: UInt64) -> [Double] {
        generator = PCG64(seed: seed)
        data.set(D4RLAnt.resetNoise.start(of: model, using: &generator))
        drawGoal()
        return observation()
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        let before = distanceToGoal()
        data.controls = action
        data.step(D4RLAnt.frameSkip)
        let after = distanceToGoal()
        let speed = (before - after) / stepDuration
        let isHealthy = isHealthy()
        let terms = [
            RewardTerm("towards goal", 2 * min(max(speed, -Self.fastest), Self.fastest)),
            RewardTerm("healthy", isHealthy ? specification.survivalBonus : 0),
            RewardTerm("control", -0.05 * action.sumOfSquares),
        ]
        if after <= Self.successRadius { drawGoal() }
        return EnvironmentStep(
            observation: observation(), reward: terms.reduce(0) { $0 + $1.value },
            isTerminated: !isHealthy, rewardTerms: terms)
    }

    package var state: SimulationState { data.state }

    package func set(_ state: SimulationState) -> [Double] {
        data.set(state)
        return observation()
    }

    package func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        data.setForce(newtons, onBody: index)
    }

    private func drawGoal() {
        let angle = generator.uniform(-Double.pi, Double.pi)
        let distance = generator.uniform(Self.distances.lowerBound, Self.distances.upperBound)
        let place = data.positions
        goal = [place[0] + distance * cos(angle), place[1] + distance * sin(angle)]
    }

    private func distanceToGoal() -> Double {
        let place = data.positions
        return hypot(goal[0] - place[0], goal[1] - place[1])
    }

    private func isHealthy() -> Bool {
        Ant(.v4).isHealthy(positions: data.positions, velocities: data.velocities)
            && D4RLAnt.uprightness(of: data.positions) > 0
    }

    private func observation() -> [Double] {
        Self.observation(
            positions: data.positions, velocities: data.velocities, goal: goal)
    }
}

extension AntGoalEnvironment {
    /// What the walker sees of a state of the robot on its way to `goal`, x and y in metres.
    ///
    /// - Parameters:
    ///   - positions: The 15 positions of ``D4RLAnt``.
    ///   - velocities: Its 14 velocities.
    ///   - goal: Where to go; it may be as far away as it likes.
    /// - Returns: Height; the turn of the torso that is left when it heads along x, as a unit
    ///   quaternion; eight joint angles; velocity ahead, to the left and up; angular velocity in
    ///   the torso's own axes; eight joint velocities; metres ahead and to the left to the goal.
    package static func observation(positions: [Double], velocities: [Double], goal: [Double])
        -> [Double]
    {
        let (w, x, y, z) = (positions[3], positions[4], positions[5], positions[6])
        let heading = atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        let (sine, cosine) = (sin(heading), cos(heading))
        func seen(_ east: Double, _ north: Double) -> [Double] {
            [cosine * east + sine * north, cosine * north - sine * east]
        }
        // The heading's turn taken back, and of the two quaternions of a turn that with w >= 0.
        let (c, s) = (cos(heading / 2), sin(heading / 2))
        var turn = [c * w + s * z, c * x + s * y, c * y - s * x, c * z - s * w]
        if turn[0] < 0 { turn = turn.map { -$0 } }

        let way = [goal[0] - positions[0], goal[1] - positions[1]]
        let distance = hypot(way[0], way[1])
        let scale = distance > sight ? sight / distance : 1
        return [positions[2]] + turn + positions[7...] + seen(velocities[0], velocities[1])
            + velocities[2...] + seen(scale * way[0], scale * way[1])
    }
}
