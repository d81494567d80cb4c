import Environments
import Episodes
import Foundation
import MuJoCo
import RandomNumbers
import TestSupport
import Testing
import Trajectories

@Suite struct AntGoalTests {
    private func standing(_ environment: AntGoalEnvironment) -> SimulationState {
        SimulationState(
            positions: environment.model.initialPositions,
            velocities: Array(repeating: 0, count: environment.model.velocityCount))
    }

    /// The state as it is after a turn of the whole world by `angle` about the origin.
    private func turned(_ state: SimulationState, by angle: Double) -> SimulationState {
        var turned = state
        func rotate(_ values: inout [Double]) {
            let (x, y) = (values[0], values[1])
            values[0] = cos(angle) * x - sin(angle) * y
            values[1] = sin(angle) * x + cos(angle) * y
        }
        rotate(&turned.positions)
        rotate(&turned.velocities)
        let (c, s) = (cos(angle / 2), sin(angle / 2))
        let q = Array(state.positions[3..<7])
        turned.positions.replaceSubrange(
            3..<7,
            with: [
                c * q[0] - s * q[3], c * q[1] - s * q[2], c * q[2] + s * q[1], c * q[3] + s * q[0],
            ])
        return turned
    }

    @Test func `what is observed does not depend on the heading`() throws {
        let environment = try AntGoalEnvironment()
        let seed = UInt64.random(in: 0...1000)
        var generator = PCG64(seed: seed)
        _ = environment.reset(seed: seed)
        for _ in 0..<5 {
            _ = environment.step((0..<8).map { _ in generator.uniform(-1, 1) })
        }
        let state = environment.state
        let goal = [0.8, -0.4]
        let expected = AntGoalEnvironment.observation(
            positions: state.positions, velocities: state.velocities, goal: goal)
        #expect(expected.count == environment.specification.layout.observationDimension)
        for _ in 0..<8 {
            let angle = generator.uniform(-2 * .pi, 2 * .pi)
            let turned = turned(state, by: angle)
            let place = [
                cos(angle) * goal[0] - sin(angle) * goal[1],
                sin(angle) * goal[0] + cos(angle) * goal[1],
            ]
            let observed = AntGoalEnvironment.observation(
                positions: turned.positions, velocities: turned.velocities, goal: place)
            #expect(absoluteError(observed, expected) < 1e-9, "seed \(seed), angle \(angle)")
        }
    }

    @Test func `heading along x it observes what Ant does and the way to the goal`() throws {
        let environment = try AntGoalEnvironment()
        var state = standing(environment)
        state.velocities = (0..<14).map { 0.1 * Double($0) }
        let observed = AntGoalEnvironment.observation(
            positions: state.positions, velocities: state.velocities, goal: [0.3, 0.4])
        let ant = state.positions.dropFirst(2) + state.velocities
        #expect(absoluteError(observed, ant + [0.3, 0.4]) < 1e-12)
        let far = AntGoalEnvironment.observation(
            positions: state.positions, velocities: state.velocities, goal: [30, 40])
        #expect(absoluteError(Array(far.suffix(2)), [1.2, 1.6]) < 1e-12)
    }

    @Test func `speed towards the goal is what is paid`() throws {
        let environment = try AntGoalEnvironment()
        _ = environment.reset(seed: 3)
        let way = zip(environment.goal, environment.state.positions).map { $0 - $1 }
        let distance = hypot(way[0], way[1])
        var state = environment.state
        state.velocities[0] = 2 * way[0] / distance
        state.velocities[1] = 2 * way[1] / distance
        _ = environment.set(state)
        let step = environment.step(Array(repeating: 0.5, count: 8))
        let place = environment.state.positions
        let left = hypot(environment.goal[0] - place[0], environment.goal[1] - place[1])
        #expect(abs(step.rewardTerms[0].value - 2 * (distance - left) / 0.1) < 1e-9)
        #expect(step.rewardTerms[0].value > 1)
        #expect(step.rewardTerms.dropFirst().map(\.value) == [1, -0.1])
        #expect(step.reward == step.rewardTerms.reduce(0) { $0 + $1.value })
    }

    @Test func `goals lie in every direction and are replaced when reached`() throws {
        let environment = try AntGoalEnvironment()
        var quadrants: Set<Int> = []
        for seed: UInt64 in 0..<40 {
            _ = environment.reset(seed: seed)
            let start = environment.state.positions
            let way = zip(environment.goal, start).map { $0 - $1 }
            #expect(1...10 ~= hypot(way[0], way[1]))
            quadrants.insert((way[0] > 0 ? 1 : 0) + (way[1] > 0 ? 2 : 0))
        }
        #expect(quadrants.count == 4)
        let reached = environment.goal
        var state = environment.state
        state.positions.replaceSubrange(0..<2, with: reached)
        _ = environment.set(state)
        let step = environment.step(Array(repeating: 0, count: 8))
        #expect(environment.goal != reached && !step.isTerminated)
        let way = zip(environment.goal, environment.state.positions).map { $0 - $1 }
        #expect(1...10 ~= hypot(way[0], way[1]))
        #expect(abs(step.rewardTerms[0].value) < 20)
    }

    @Test func `an episode ends on the back, not on the feet`() throws {
        let environment = try AntGoalEnvironment()
        _ = environment.reset(seed: 1)
        _ = environment.set(standing(environment))
        let rest = Array(repeating: 0.0, count: 8)
        #expect(!environment.step(rest).isTerminated)
        var state = standing(environment)
        state.positions.replaceSubrange(2..<7, with: [0.6, 0, 1, 0, 0])
        _ = environment.set(state)
        let step = environment.step(rest)
        #expect(step.isTerminated && step.rewardTerms[1].value == 0)
    }

    @Test func `the same seed gives the same episode`() throws {
        func run() throws -> [Double] {
            let environment = try EnvironmentRegistry.make("ant-goal")
            var numbers = environment.reset(seed: 5)
            for t in 0..<20 {
                let step = environment.step((0..<8).map { sin(Double(t * 8 + $0)) })
                numbers += step.observation + [step.reward]
            }
            return numbers
        }
        let numbers = try run()
        #expect(try run() == numbers)
        #expect(try EnvironmentRegistry.make("ant").specification.identifier == "ant-v4")
    }
}
