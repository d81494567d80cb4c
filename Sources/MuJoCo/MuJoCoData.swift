package import CMuJoCo

/// What is needed to continue a simulation exactly: pose, motion and the solver's warm start.
public struct SimulationState: Sendable, Equatable, Codable {
    /// Generalized positions, nq numbers.
    public var positions: [Double]
    /// Generalized velocities, nv numbers.
    public var velocities: [Double]
    /// Accelerations from which the constraint solver starts, nv numbers; empty means zero.
    public var warmStart: [Double]

    /// Creates a state; without `warmStart` the solver starts cold.
    public init(positions: [Double], velocities: [Double], warmStart: [Double] = []) {
        self.positions = positions
        self.velocities = velocities
        self.warmStart = warmStart
    }
}

/// The changing half of a simulation: a state of a ``MuJoCoModel`` and all that follows from it.
///
/// Belongs to one task at a time.
public final class MuJoCoData {
    /// The model that is simulated.
    public let model: MuJoCoModel
    package let pointer: UnsafeMutablePointer<mjData>

    /// Creates a simulation at the model's initial pose.
    ///
    /// - Throws: ``SimulationError`` when there is not enough memory.
    public init(model: MuJoCoModel) throws(SimulationError) {
        guard let pointer = mj_makeData(model.pointer) else {
            throw SimulationError(
                code: .outOfMemory, detail: "MuJoCo could not allocate a state; free some memory")
        }
        self.model = model
        self.pointer = pointer
    }

    deinit { mj_deleteData(pointer) }

    private func read(_ start: UnsafeMutablePointer<mjtNum>?, _ count: Int) -> [Double] {
        Array(UnsafeBufferPointer(start: start, count: count))
    }

    private func write(_ values: [Double], to start: UnsafeMutablePointer<mjtNum>?, _ count: Int) {
        precondition(values.count == count, "\(values.count) numbers given for \(count)")
        values.withUnsafeBufferPointer { source in
            if let start, let base = source.baseAddress { start.update(from: base, count: count) }
        }
    }

    /// Generalized positions (qpos), nq numbers.
    public var positions: [Double] {
        get { read(pointer.pointee.qpos, model.positionCount) }
        set { write(newValue, to: pointer.pointee.qpos, model.positionCount) }
    }

    /// Generalized velocities (qvel), nv numbers.
    public var velocities: [Double] {
        get { read(pointer.pointee.qvel, model.velocityCount) }
        set { write(newValue, to: pointer.pointee.qvel, model.velocityCount) }
    }

    /// The solver's warm start (qacc_warmstart), nv numbers.
    public var warmStart: [Double] {
        get { read(pointer.pointee.qacc_warmstart, model.velocityCount) }
        set { write(newValue, to: pointer.pointee.qacc_warmstart, model.velocityCount) }
    }

    /// Actuator controls (ctrl), nu numbers.
    public var controls: [Double] {
        get { read(pointer.pointee.ctrl, model.controlCount) }
        set { write(newValue, to: pointer.pointee.ctrl, model.controlCount) }
    }

    /// Force and torque of contacts and external forces on each body (cfrc_ext), nbody × 6: torque,
    /// then force; all zero before ``rnePostConstraint()``.
    public var contactForces: [Double] { read(pointer.pointee.cfrc_ext, 6 * model.bodyCount) }

    /// Mass and inertia of each body about the centre of mass of its tree (cinert), nbody × 10.
    public var inertias: [Double] { read(pointer.pointee.cinert, 10 * model.bodyCount) }

    /// Angular and linear velocity of each body (cvel), nbody × 6.
    public var bodyVelocities: [Double] { read(pointer.pointee.cvel, 6 * model.bodyCount) }

    /// What the actuators exert at each degree of freedom (qfrc_actuator), nv numbers.
    public var actuatorForces: [Double] {
        read(pointer.pointee.qfrc_actuator, model.velocityCount)
    }

    /// The mean of the bodies' own centres of mass (xipos), weighted by mass, in metres.
    public var centerOfMass: (x: Double, y: Double, z: Double) {
        var sums = (0.0, 0.0, 0.0)
        var total = 0.0
        for body in 0..<model.bodyCount {
            let mass = model.pointer.pointee.body_mass[body]
            let center = pointer.pointee.xipos + 3 * body
            total += mass
            sums.0 += mass * center[0]
            sums.1 += mass * center[1]
            sums.2 += mass * center[2]
        }
        return (sums.0 / total, sums.1 / total, sums.2 / total)
    }

    /// Simulated seconds since the last reset.
    public var time: Double { pointer.pointee.time }

    /// The first generalized position; the forward coordinate of the planar robots.
    public var firstPosition: Double { pointer.pointee.qpos[0] }

    /// Where the body of an index is, in metres (xpos), as of the last forward pass or step.
    public func position(ofBody index: Int) -> (x: Double, y: Double, z: Double) {
        precondition(0..<model.bodyCount ~= index, "there is no body \(index)")
        let start = pointer.pointee.xpos + 3 * index
        return (start[0], start[1], start[2])
    }

    /// The smallest box along the axes that holds all geoms but planes, in metres, as of the last
    /// forward pass or step: its lowest and its highest corner; the origin where there is no geom.
    public var bounds: (low: SIMD3<Double>, high: SIMD3<Double>) {
        var low = SIMD3<Double>(repeating: .infinity)
        var high = -low
        for geom in 0..<Int(model.pointer.pointee.ngeom)
        where model.pointer.pointee.geom_type[geom] != Int32(mjGEOM_PLANE.rawValue) {
            let box = model.pointer.pointee.geom_aabb + 6 * geom
            let (place, turn) = (
                pointer.pointee.geom_xpos + 3 * geom, pointer.pointee.geom_xmat + 9 * geom
            )
            for axis in 0..<3 {
                var (middle, reach) = (place[axis], 0.0)
                for column in 0..<3 {
                    middle += turn[3 * axis + column] * box[column]
                    reach += abs(turn[3 * axis + column]) * box[3 + column]
                }
                low[axis] = min(low[axis], middle - reach)
                high[axis] = max(high[axis], middle + reach)
            }
        }
        return low.x <= high.x ? (low, high) : (.zero, .zero)
    }

    /// Whether MuJoCo met a state that is not finite or too fast since the last reset.
    ///
    /// MuJoCo then puts the model back to its initial pose.
    public var hasDiverged: Bool {
        // The tuple is in the order of mjtWarning: 3, 4, 5 are BADQPOS, BADQVEL, BADQACC.
        let warnings = pointer.pointee.warning
        return warnings.3.number + warnings.4.number + warnings.5.number > 0
    }

    /// Pulls a body with a force at its centre of mass, in newtons along the world's axes, from the
    /// next step on and until ``set(_:)`` or ``reset()``.
    public func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        precondition(0..<model.bodyCount ~= index, "there is no body \(index)")
        let start = pointer.pointee.xfrc_applied + 6 * index
        for axis in 0..<3 { start[axis] = newtons[axis] }
    }

    /// Advances the physics by `count` time steps (mj_step).
    public func step(_ count: Int = 1) {
        for _ in 0..<count { mj_step(model.pointer, pointer) }
    }

    /// Computes everything that follows from the state, without advancing it (mj_forward).
    public func forward() { mj_forward(model.pointer, pointer) }

    /// Puts everything back to the model's initial pose (mj_resetData).
    public func reset() { mj_resetData(model.pointer, pointer) }

    /// Computes body accelerations and contact forces from the last step (mj_rnePostConstraint).
    public func rnePostConstraint() { mj_rnePostConstraint(model.pointer, pointer) }

    /// Sets a state as Gymnasium does: reset, write positions and velocities, forward.
    ///
    /// A warm start in `state` is written last, so that a recorded simulation continues exactly.
    public func set(_ state: SimulationState) {
        reset()
        positions = state.positions
        velocities = state.velocities
        forward()
        if !state.warmStart.isEmpty { warmStart = state.warmStart }
    }

    /// The state as it now is.
    public var state: SimulationState {
        SimulationState(positions: positions, velocities: velocities, warmStart: warmStart)
    }
}
