import Environments
import Episodes
import MuJoCo
import RandomNumbers
import Testing

@Suite struct ObservedStateTests {
    /// Seen from where the robot stands and looks, a state cannot be told.
    private static let unobservable = ["ant-goal-v0"]
    /// No simulations.
    private static let rooms = RoomsEnvironment.Maps.allCases.map(\.rawValue)

    @Test(arguments: unobservable)
    func `observations in the robot's own axes tell no state`(name: String) throws {
        #expect(try EnvironmentRegistry.simulation(name).observedState == nil)
    }

    @Test(arguments: EnvironmentRegistry.names.filter { !(unobservable + rooms).contains($0) })
    func `an episode of observations gives its states back`(name: String) throws {
        let environment = try EnvironmentRegistry.simulation(name)
        var observations = [environment.reset(seed: 5)]
        var states = [environment.state]
        let observed = try #require(environment.observedState, "\(name)")
        #expect(environment.state.positions == states[0].positions)

        var generator = PCG64(seed: 7)
        for _ in 0..<30 {
            let action = environment.specification.actionLimits.map {
                0.3 * generator.uniform($0.lowerBound, $0.upperBound)
            }
            observations.append(environment.step(action).observation)
            states.append(environment.state)
        }
        let omitted = observed.omittedPositions
        let found = observed.states(
            of: observations, stepDuration: environment.stepDuration,
            start: Array(states[0].positions.prefix(omitted)))
        try #require(found.count == states.count)
        for (found, state) in zip(found, states) {
            #expect(found.positions[omitted...] == state.positions[omitted...])
            // Some observations clip velocities.
            for (a, b) in zip(found.velocities, state.velocities) where abs(b) < 5 {
                #expect(a == b)
            }
        }
        // What is integrated drifts, but not far in so short a time.
        for index in 0..<omitted {
            let (from, to) = (states[0].positions[index], states[30].positions[index])
            #expect(
                abs(found[30].positions[index] - to) < 0.01 + 0.05 * abs(to - from),
                "\(found[30].positions[index]) instead of \(to), from \(from)")
        }
    }

    @Test func `robots on a line leave out one position`() throws {
        #expect(
            try EnvironmentRegistry.simulation("hopper").observedState
                == ObservedState(omittedPositions: 1, positionCount: 6, velocityCount: 6))
        #expect(try EnvironmentRegistry.simulation("halfcheetah").observedState?.count == 17)
    }

    @Test func `what is left out is integrated from where one says, what follows is ignored`() {
        let observed = ObservedState(omittedPositions: 1, positionCount: 2, velocityCount: 2)
        let states = observed.states(
            of: [[5, 1, 0, 99], [6, 3, 0, 99], [7, 3, 0, 99]], stepDuration: 0.5, start: [10])
        #expect(states.map(\.positions) == [[10, 5], [11, 6], [12.5, 7]])
        #expect(states.map(\.velocities) == [[1, 0], [3, 0], [3, 0]])
    }
}
