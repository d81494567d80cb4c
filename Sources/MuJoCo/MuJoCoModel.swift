package import CMuJoCo
public import Foundation

/// A compiled MuJoCo model: bodies, joints, actuators and options; it never changes.
public final class MuJoCoModel: @unchecked Sendable {
    // Sendable: MuJoCo only reads a model while it steps or draws, and nothing here writes to it.
    package let pointer: UnsafeMutablePointer<mjModel>

    /// Loads and compiles an MJCF file.
    ///
    /// - Throws: ``SimulationError`` when the file is missing or is not a valid model.
    public init(contentsOf url: URL) throws(SimulationError) {
        MuJoCoLog.install()
        guard FileManager.default.isReadableFile(atPath: url.path) else {
            throw SimulationError(
                code: .invalidModel, file: url.path,
                detail: "there is no such file; check the path, or run `make bootstrap`")
        }
        var message = [CChar](repeating: 0, count: 1024)
        guard let pointer = mj_loadXML(url.path, nil, &message, Int32(message.count)) else {
            let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            throw SimulationError(
                code: .invalidModel, file: url.path,
                detail: text.split(whereSeparator: \.isNewline).joined(separator: "; ")
                    + "; correct the file, or fetch it again with `make bootstrap`")
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
