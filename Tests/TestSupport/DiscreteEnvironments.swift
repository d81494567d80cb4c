import Foundation
package import Episodes
import RandomNumbers
import Trajectories

/// Gymnasium's `CartPole-v1`, step for step: action 1 pushes the cart to the right, 0 to the left.
package final class CartPole: Environment {
    package let specification = EnvironmentSpecification(
        identifier: "cartpole-v1", family: "cartpole",
        layout: TransitionLayout(observationDimension: 4, actionDimension: 1),
        actionLimits: [0...1], maximumEpisodeSteps: 500)
    /// Place and speed of the cart, angle and angular speed of the pole.
    package private(set) var state = [0.0, 0, 0, 0]

    package init() {}

    package func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        state = (0..<4).map { _ in generator.uniform(-0.05, 0.05) }
        return observation
    }

    /// As Gymnasium gives it, in single precision.
    private var observation: [Double] { state.map { Double(Float($0)) } }

    package func step(_ action: [Double]) -> EnvironmentStep {
        let (gravity, cart, pole, length, step) = (9.8, 1.0, 0.1, 0.5, 0.02)
        let (mass, moment) = (cart + pole, pole * length)
        let force = action[0] == 1 ? 10.0 : -10.0
        let (cosine, sine) = (cos(state[2]), sin(state[2]))
        let pull = (force + moment * (state[3] * state[3]) * sine) / mass
        let angular =
            (gravity * sine - cosine * pull)
            / (length * (4.0 / 3.0 - pole * (cosine * cosine) / mass))
        let linear = pull - moment * angular * cosine / mass
        state = [
            state[0] + step * state[1], state[1] + step * linear, state[2] + step * state[3],
            state[3] + step * angular,
        ]
        let limit = 12 * 2 * Double.pi / 360
        return EnvironmentStep(
            observation: observation, reward: 1,
            isTerminated: abs(state[0]) > 2.4 || abs(state[2]) > limit)
    }
}

/// A grid of 4 × 4 cells, of which one is observed by its number; 0 to 3 go left, down, right and
/// up, and the last cell, where an episode ends, pays 1 (Gymnasium's FrozenLake without holes and
/// ice).
package final class GridWorld: Environment {
    package let specification = EnvironmentSpecification(
        identifier: "grid-v1", family: "grid",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [0...3], maximumEpisodeSteps: 40)
    private var (row, column) = (0, 0)

    package init() {}

    package func reset(seed: UInt64) -> [Double] {
        (row, column) = (0, 0)
        return [0]
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        switch Int(action[0]) {
        case 0: column = max(0, column - 1)
        case 1: row = min(3, row + 1)
        case 2: column = min(3, column + 1)
        default: row = max(0, row - 1)
        }
        let cell = 4 * row + column
        return EnvironmentStep(
            observation: [Double(cell)], reward: cell == 15 ? 1 : 0, isTerminated: cell == 15)
    }
}
