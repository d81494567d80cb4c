public import MuJoCo

/// How an environment's observations tell the state of its simulation.
///
/// Every robot here observes its positions, but for the first few (where on the ground it is), then
/// its velocities, then perhaps more. What is left out moves with the velocities of the same index,
/// so that a whole episode of observations gives the states back, from a start of one's choice.
public struct ObservedState: Sendable, Hashable {
    /// Leading positions that are not observed: 0 for mazes, 1 for planar robots, 2 for others.
    public let omittedPositions: Int
    /// Numbers that describe the pose (nq).
    public let positionCount: Int
    /// Numbers that describe the motion (nv).
    public let velocityCount: Int

    /// Creates a description; `omittedPositions` is not above either count.
    public init(omittedPositions: Int, positionCount: Int, velocityCount: Int) {
        precondition(
            0 <= omittedPositions && omittedPositions <= min(positionCount, velocityCount),
            "\(omittedPositions) of \(positionCount) positions and \(velocityCount) velocities")
        self.omittedPositions = omittedPositions
        self.positionCount = positionCount
        self.velocityCount = velocityCount
    }

    /// Leading numbers of an observation that tell the state; the others follow from it.
    public var count: Int { positionCount - omittedPositions + velocityCount }

    /// The states that were observed.
    ///
    /// - Parameters:
    ///   - observations: One after the other, each of ``count`` numbers or more.
    ///   - stepDuration: Seconds from one to the next.
    ///   - start: The unobserved positions of the first state, ``omittedPositions`` numbers. The
    ///     later ones are integrated from the observed velocities by the trapezoidal rule, and
    ///     drift accordingly.
    /// - Returns: As many states.
    public func states(
        of observations: some Sequence<[Double]>, stepDuration: Double, start: [Double]
    ) -> [SimulationState] {
        precondition(
            start.count == omittedPositions, "\(start.count) numbers for \(omittedPositions)")
        var unobserved = start
        var last: [Double]?
        return observations.map { observation in
            precondition(
                observation.count >= count,
                "an observation of \(observation.count) numbers, not "
                    + "\(count)")
            let observed = positionCount - omittedPositions
            let velocities = Array(observation[observed..<count])
            if let last {
                for index in unobserved.indices {
                    unobserved[index] += stepDuration * (last[index] + velocities[index]) / 2
                }
            }
            last = velocities
            return SimulationState(
                positions: unobserved + observation.prefix(observed), velocities: velocities)
        }
    }
}

extension SimulatedEnvironment {
    /// How observations tell the state, found out by looking at that of a known state; nil where
    /// they do not begin with positions and velocities.
    ///
    /// The state of the environment is the same afterwards.
    public var observedState: ObservedState? {
        let saved = state
        defer { _ = set(saved) }
        // Numbers that differ, and small enough for observations that clip velocities.
        let probe = SimulationState(
            positions: model.initialPositions.enumerated().map { $1 + 1e-3 * Double($0 + 1) },
            velocities: (0..<model.velocityCount).map { -1e-3 * Double($0 + 1) })
        let observation = set(probe)
        // Read back, since MuJoCo may have normalized a quaternion.
        let known = state
        for omitted in 0...min(2, known.positions.count, known.velocities.count) {
            let expected = known.positions.dropFirst(omitted) + known.velocities
            guard observation.count >= expected.count else { continue }
            if zip(observation, expected).allSatisfy({ abs($0 - $1) < 1e-9 }) {
                return ObservedState(
                    omittedPositions: omitted, positionCount: model.positionCount,
                    velocityCount: model.velocityCount)
            }
        }
        return nil
    }
}
