import CMuJoCo

/// A box that is part of the world, such as a wall; lengths in metres.
///
/// Friction, margin and whatever else is not said comes from the model's default class.
public struct StaticBox: Sendable {
    /// The geom's name in the model.
    public var name: String
    /// Where its middle is.
    public var center: (x: Double, y: Double, z: Double)
    /// Half its extent along each axis.
    public var halfSize: (x: Double, y: Double, z: Double)

    /// Creates a box.
    public init(
        name: String, center: (x: Double, y: Double, z: Double),
        halfSize: (x: Double, y: Double, z: Double)
    ) {
        self.name = name
        self.center = center
        self.halfSize = halfSize
    }

    /// Adds the box to a model that is not yet compiled.
    func add(to specification: UnsafeMutablePointer<mjSpec>) {
        guard let world = mjs_findBody(specification, "world"),
            let geom = mjs_addGeom(world, mjs_getSpecDefault(specification))
        else { return }
        geom.pointee.type = mjGEOM_BOX
        geom.pointee.pos = (center.x, center.y, center.z)
        geom.pointee.size = (halfSize.x, halfSize.y, halfSize.z)
        geom.pointee.contype = 1
        geom.pointee.conaffinity = 1
        geom.pointee.rgba = (0.49, 0.55, 0.62, 1)
        mjs_setName(geom.pointee.element, name)
    }
}
