import Environments
import MuJoCo

/// Where the bodies of a robot are in a state, without simulating.
final class Figure {
    /// The model.
    let model: MuJoCoModel
    /// How observations tell the state; nil where they do not.
    let observed: ObservedState?
    private let data: MuJoCoData

    /// The figure of an environment's robot, whose state stays as it is.
    init(of environment: any SimulatedEnvironment) throws(SimulationError) {
        model = environment.model
        data = try MuJoCoData(model: model)
        observed = environment.observedState
    }

    /// Position and quaternion of each body: bodies × 7.
    func numbers(_ state: SimulationState) -> [Double] {
        data.place(at: state.positions)
        return data.bodyPoses
    }

    /// The same for a page.
    func pose(_ state: SimulationState) -> PackedNumbers {
        PackedNumbers(numbers(state))
    }

    /// The states that observations tell, from a present one on; nil where they do not tell.
    func states(
        of observations: [[Double]], from present: SimulationState, stepDuration: Double
    ) -> [SimulationState]? {
        guard let observed, observations.allSatisfy({ $0.count >= observed.count }) else {
            return nil
        }
        return observed.states(
            of: observations, stepDuration: stepDuration,
            start: Array(present.positions.prefix(observed.omittedPositions)))
    }

    /// The ways of some bodies through states, one after the other: bodies × states × 3.
    func ways(of bodies: [Int], in states: [SimulationState]) -> [Double] {
        let poses = states.map(numbers)
        return bodies.flatMap { body in poses.flatMap { $0[(7 * body)..<(7 * body + 3)] } }
    }
}
