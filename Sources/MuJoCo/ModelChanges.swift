import CMuJoCo

/// Numbers of a model that differ from what its file says.
///
/// Two robots of one shape are one file: what one of them changes is said here.
public struct ModelChanges: Sendable {
    /// Simulated seconds of a physics step.
    public var timestep: Double?
    /// Force or torque of every actuator for a control of 1.
    public var gear: Double?
    /// How stiff the contacts of every geom are: the first three numbers of MuJoCo's `solimp`, the
    /// impedance at the surface and in depth, and the width between.
    public var contactImpedance: (surface: Double, depth: Double, width: Double)?

    /// No changes.
    public init() {}

    /// Applies them to a model that is not yet compiled.
    func apply(to specification: UnsafeMutablePointer<mjSpec>) {
        if let timestep { specification.pointee.option.timestep = timestep }
        if let gear {
            forEach(mjOBJ_ACTUATOR, in: specification) { element in
                mjs_asActuator(element)?.pointee.gear.0 = gear
            }
        }
        if let contactImpedance {
            func set(_ geom: UnsafeMutablePointer<mjsGeom>?) {
                geom?.pointee.solimp.0 = contactImpedance.surface
                geom?.pointee.solimp.1 = contactImpedance.depth
                geom?.pointee.solimp.2 = contactImpedance.width
            }
            // Boxes that are added later take the default.
            set(mjs_getSpecDefault(specification)?.pointee.geom)
            forEach(mjOBJ_GEOM, in: specification) { set(mjs_asGeom($0)) }
        }
    }

    private func forEach(
        _ kind: mjtObj, in specification: UnsafeMutablePointer<mjSpec>,
        _ body: (UnsafeMutablePointer<mjsElement>) -> Void
    ) {
        var next = mjs_firstElement(specification, kind)
        while let element = next {
            body(element)
            next = mjs_nextElement(specification, element)
        }
    }
}
