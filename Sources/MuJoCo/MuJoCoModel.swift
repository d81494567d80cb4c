package import CMuJoCo
public import Foundation

/// A compiled MuJoCo model: bodies, joints, actuators and options; it never changes.
public final class MuJoCoModel: @unchecked Sendable {
    // Sendable: MuJoCo only reads a model while it steps or draws, and nothing here writes to it.
    package let pointer: UnsafeMutablePointer<mjModel>

    /// Loads and compiles an MJCF file, with `changes` made to it and `boxes` added to the world.
    ///
    /// - Throws: ``SimulationError`` when the file is missing or is not a valid model.
    public init(
        contentsOf url: URL, adding boxes: [StaticBox] = [], changes: ModelChanges = ModelChanges()
    ) throws(SimulationError) {
        MuJoCoLog.install()
        guard FileManager.default.isReadableFile(atPath: url.path) else {
            throw SimulationError(
                code: .invalidModel, file: url.path,
                detail: "there is no such file; check the path, or run `make bootstrap`")
        }
        func invalid(_ text: String) -> SimulationError {
            SimulationError(
                code: .invalidModel, file: url.path,
                detail: text.split(whereSeparator: \.isNewline).joined(separator: "; ")
                    + "; correct the file, or fetch it again with `make bootstrap`")
        }
        var message = [CChar](repeating: 0, count: 1024)
        guard let specification = mj_parseXML(url.path, nil, &message, Int32(message.count)) else {
            throw invalid(
                String(decoding: message.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
        }
        defer { mj_deleteSpec(specification) }
        changes.apply(to: specification)
        for box in boxes { box.add(to: specification) }
        guard let pointer = mj_compile(specification, nil) else {
            throw invalid(
                mjs_getError(specification).map { String(cString: $0) } ?? "it is invalid")
        }
        self.pointer = pointer
    }

    deinit { mj_deleteModel(pointer) }

    /// Numbers that describe the pose (nq).
    public var positionCount: Int { Int(pointer.pointee.nq) }
    /// Numbers that describe the motion (nv).
    public var velocityCount: Int { Int(pointer.pointee.nv) }
    /// Actuators (nu).
    public var controlCount: Int { Int(pointer.pointee.nu) }
    /// Bodies, the world included (nbody).
    public var bodyCount: Int { Int(pointer.pointee.nbody) }
    /// Simulated seconds of one physics step.
    public var timestep: Double { pointer.pointee.opt.timestep }
    /// The pose in which the model was written down (qpos0).
    public var initialPositions: [Double] {
        Array(UnsafeBufferPointer(start: pointer.pointee.qpos0, count: positionCount))
    }
    /// Lower and upper limit of each actuator's control.
    public var controlRanges: [ClosedRange<Double>] {
        let limits = UnsafeBufferPointer(
            start: pointer.pointee.actuator_ctrlrange, count: 2 * controlCount)
        return (0..<controlCount).map { limits[2 * $0]...limits[2 * $0 + 1] }
    }

    /// The boxes that are part of the world, such as walls, in the order of the model.
    public var staticBoxes: [StaticBox] {
        (0..<Int(pointer.pointee.ngeom)).compactMap { geom in
            guard pointer.pointee.geom_bodyid[geom] == 0,
                pointer.pointee.geom_type[geom] == Int32(mjGEOM_BOX.rawValue)
            else { return nil }
            let center = pointer.pointee.geom_pos + 3 * geom
            let size = pointer.pointee.geom_size + 3 * geom
            let name = mj_id2name(pointer, Int32(mjOBJ_GEOM.rawValue), Int32(geom))
            return StaticBox(
                name: name.map { String(cString: $0) } ?? "",
                center: (center[0], center[1], center[2]), halfSize: (size[0], size[1], size[2]))
        }
    }

    /// The index of a body.
    public func bodyIndex(_ name: String) -> Int? {
        let index = mj_name2id(pointer, Int32(mjOBJ_BODY.rawValue), name)
        return index < 0 ? nil : Int(index)
    }

    /// The index of a camera that the model defines.
    public func cameraIndex(_ name: String) -> Int? {
        let index = mj_name2id(pointer, Int32(mjOBJ_CAMERA.rawValue), name)
        return index < 0 ? nil : Int(index)
    }
}
