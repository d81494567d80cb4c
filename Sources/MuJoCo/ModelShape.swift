import CMuJoCo

/// What a part of a body looks like (a geom); lengths in metres.
public struct ModelShape: Sendable, Hashable, Codable {
    /// The forms that are told apart.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// A ball of radius `size[0]`.
        case sphere
        /// A line of half length `size[1]` along the shape's z, with radius `size[0]` around it.
        case capsule
        /// The same with flat ends.
        case cylinder
        /// Half axes `size`.
        case ellipsoid
        /// Half sides `size`.
        case box
    }

    /// The form.
    public var kind: Kind
    /// The body that it moves with; 0 is the world.
    public var body: Int
    /// Where its middle is in the body's frame, x, y and z.
    public var position: [Double]
    /// How it is turned in the body's frame: a quaternion w, x, y, z.
    public var rotation: [Double]
    /// Three numbers whose meaning depends on the form.
    public var size: [Double]
    /// Red, green, blue and opacity, from 0 to 1.
    public var color: [Double]
}

extension MuJoCoModel {
    /// What the bodies look like, but for planes and what has a form of its own (meshes).
    public var shapes: [ModelShape] {
        let model = pointer.pointee
        return (0..<Int(model.ngeom)).compactMap { geom in
            guard let kind = ModelShape.Kind(geomType: model.geom_type[geom]) else { return nil }
            func numbers<Number: BinaryFloatingPoint>(
                _ count: Int, _ number: (Int) -> Number
            ) -> [Double] {
                (0..<count).map { Double(number(count * geom + $0)) }
            }
            return ModelShape(
                kind: kind, body: Int(model.geom_bodyid[geom]),
                position: numbers(3) { model.geom_pos[$0] },
                rotation: numbers(4) { model.geom_quat[$0] },
                size: numbers(3) { model.geom_size[$0] },
                color: numbers(4) { model.geom_rgba[$0] })
        }
    }

    /// Of the bodies that hang from the world, the one that carries the most.
    public var heaviestTree: Int {
        let model = pointer.pointee
        let trees = (1..<max(2, bodyCount)).filter {
            $0 < bodyCount && model.body_parentid[$0] == 0
        }
        return trees.max { model.body_subtreemass[$0] < model.body_subtreemass[$1] } ?? 0
    }

    /// Kilograms of a body and all that hangs from it.
    public func mass(ofTree body: Int) -> Double {
        precondition(0..<bodyCount ~= body, "there is no body \(body)")
        return pointer.pointee.body_subtreemass[body]
    }

    /// The bodies from which nothing hangs, of those that hang from a body.
    public func leaves(ofTree root: Int) -> [Int] {
        let model = pointer.pointee
        // A parent's index is below its children's.
        var isInTree = Array(repeating: false, count: bodyCount)
        var isParent = isInTree
        for body in 0..<bodyCount {
            let parent = Int(model.body_parentid[body])
            isInTree[body] = body == root || body > 0 && isInTree[parent]
            if body > 0, isInTree[body] { isParent[parent] = true }
        }
        return (0..<bodyCount).filter { isInTree[$0] && !isParent[$0] && $0 != root }
    }
}

extension ModelShape.Kind {
    fileprivate init?(geomType: Int32) {
        switch UInt32(geomType) {
        case mjGEOM_SPHERE.rawValue: self = .sphere
        case mjGEOM_CAPSULE.rawValue: self = .capsule
        case mjGEOM_CYLINDER.rawValue: self = .cylinder
        case mjGEOM_ELLIPSOID.rawValue: self = .ellipsoid
        case mjGEOM_BOX.rawValue: self = .box
        default: return nil
        }
    }
}

extension MuJoCoData {
    /// Puts the bodies where positions (nq numbers) have them, and computes nothing else
    /// (mj_kinematics).
    public func place(at positions: [Double]) {
        self.positions = positions
        mj_kinematics(model.pointer, pointer)
    }

    /// Position and turn of each body (xpos, xquat), as of the last forward pass, step or
    /// ``place(at:)``: nbody × 7, the turn a quaternion w, x, y, z.
    public var bodyPoses: [Double] {
        (0..<model.bodyCount).flatMap { body in
            (0..<3).map { pointer.pointee.xpos[3 * body + $0] }
                + (0..<4).map { pointer.pointee.xquat[4 * body + $0] }
        }
    }
}
