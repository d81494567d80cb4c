import CMuJoCo
import Foundation

/// A picture: `height` rows of `width` pixels from the top, 3 bytes (red, green, blue) each.
public struct Frame: Sendable, Equatable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Red, green and blue of each pixel, row after row.
    public let pixels: [UInt8]

    /// Creates a picture from `3 * width * height` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(
            pixels.count == 3 * width * height,
            "\(pixels.count) bytes are not \(width) x \(height) pixels of 3")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

/// From where a scene is seen.
public struct Viewpoint: Sendable, Hashable {
    /// The point in the middle of the picture, in metres.
    public var target: (x: Double, y: Double, z: Double) {
        get { (x, y, z) }
        set { (x, y, z) = newValue }
    }
    private var x = 0.0
    private var y = 0.0
    private var z = 0.0
    /// Metres between eye and target.
    public var distance: Double
    /// Direction of sight in the ground plane, degrees; 90 looks along y with x to the right.
    public var azimuth: Double
    /// Direction of sight against the ground plane, degrees; negative looks down.
    public var elevation: Double

    /// Where it is seen from, in metres.
    var eye: [Double] {
        let (turn, tilt) = (azimuth * .pi / 180, elevation * .pi / 180)
        return [
            x - distance * cos(tilt) * cos(turn), y - distance * cos(tilt) * sin(turn),
            z - distance * sin(tilt),
        ]
    }

    /// Creates a viewpoint that looks at the origin.
    public init(distance: Double, azimuth: Double = 90, elevation: Double = -12) {
        self.distance = distance
        self.azimuth = azimuth
        self.elevation = elevation
    }
}

/// Another pose of the model, drawn over the state in one translucent colour and a little thicker.
public struct Ghost: Sendable, Equatable {
    /// The pose.
    public var state: SimulationState
    /// Red, green, blue and opacity, from 0 to 1.
    public var color: SIMD4<Float>

    /// Creates a ghost.
    public init(_ state: SimulationState, color: SIMD4<Float>) {
        self.state = state
        self.color = color
    }
}

/// Draws a simulation without a display, with MuJoCo's own renderer.
///
/// Belongs to one thread at a time.
public final class FrameRenderer {
    /// A copy of the model, since what concerns drawing is set in it.
    private let model: UnsafeMutablePointer<mjModel>
    private let context: OffscreenContext
    private let width: Int
    private let height: Int
    private var scene = mjvScene()
    private var renderer = mjrContext()
    private var options = mjvOption()
    /// The simulation in which ghosts are posed, made for the first one.
    private var ghostData: MuJoCoData?
    private let original: MuJoCoModel

    /// Prepares pictures of `width` × `height` pixels of a model.
    ///
    /// - Throws: ``SimulationError`` when no offscreen OpenGL is available.
    public init(model: MuJoCoModel, width: Int, height: Int) throws(SimulationError) {
        precondition(width > 0 && height > 0, "pictures of \(width) x \(height) cannot be drawn")
        self.width = width
        self.height = height
        original = model
        context = try OffscreenContext(width: width, height: height)
        try context.makeCurrent()
        guard let copy = mj_copyModel(nil, model.pointer) else {
            throw SimulationError(
                code: .outOfMemory, detail: "MuJoCo could not copy the model; free some memory")
        }
        self.model = copy
        // The default, 4096, takes longer in software than all the rest of a picture.
        copy.pointee.vis.quality.shadowsize = 1024
        StudioLook.apply(to: copy)
        copy.pointee.vis.global.offwidth = Int32(width)
        copy.pointee.vis.global.offheight = Int32(height)
        mjv_defaultOption(&options)
        mjv_defaultScene(&scene)
        mjv_makeScene(copy, &scene, 4000)
        mjr_defaultContext(&renderer)
        mjr_makeContext(copy, &renderer, Int32(mjFONTSCALE_100.rawValue))
        mjr_setBuffer(Int32(mjFB_OFFSCREEN.rawValue), &renderer)
    }

    deinit {
        // Freeing OpenGL objects needs the context; without it they go with the context itself.
        if (try? context.makeCurrent()) != nil { mjr_freeContext(&renderer) }
        mjv_freeScene(&scene)
        mj_deleteModel(model)
    }

    /// Draws the state of `data` and `ghosts`, with `caption` in the upper left corner.
    ///
    /// - Throws: ``SimulationError`` when the OpenGL context is lost.
    public func render(
        _ data: MuJoCoData, from viewpoint: Viewpoint, caption: String? = nil, ghosts: [Ghost] = []
    ) throws(SimulationError) -> Frame {
        try context.makeCurrent()
        var camera = mjvCamera()
        mjv_defaultCamera(&camera)
        camera.type = Int32(mjCAMERA_FREE.rawValue)
        camera.lookat = viewpoint.target
        camera.distance = viewpoint.distance
        camera.azimuth = viewpoint.azimuth
        camera.elevation = viewpoint.elevation
        mjv_updateScene(
            model, data.pointer, &options, nil, &camera, Int32(mjCAT_ALL.rawValue), &scene)
        for ghost in ghosts { try add(ghost, seenFrom: viewpoint) }
        let lights = Int(scene.nlight)
        withUnsafeMutableBytes(of: &scene.lights) { bytes in
            let all = bytes.bindMemory(to: mjvLight.self)
            for index in 0..<min(lights, all.count) {
                StudioLook.place(&all[index], isOnly: lights == 1, for: viewpoint)
            }
        }

        // Flag 6 of mjtRndFlag is haze: the floor fades into the sky at the horizon. Flag 2 is
        // reflection, which would show where a ghost is drawn and not where it stands.
        scene.flags.6 = 1
        scene.flags.2 = ghosts.isEmpty ? 1 : 0
        let viewport = mjrRect(left: 0, bottom: 0, width: Int32(width), height: Int32(height))
        mjr_render(viewport, &scene, &renderer)
        if let caption {
            mjr_overlay(
                Int32(mjFONT_NORMAL.rawValue), Int32(mjGRID_TOPLEFT.rawValue), viewport, caption,
                nil, &renderer)
        }
        var upward = [UInt8](repeating: 0, count: 3 * width * height)
        mjr_readPixels(&upward, nil, viewport, &renderer)
        // OpenGL's first row is the lowest.
        var pixels: [UInt8] = []
        pixels.reserveCapacity(upward.count)
        for row in stride(from: height - 1, through: 0, by: -1) {
            pixels += upward[(3 * width * row)..<(3 * width * (row + 1))]
        }
        return Frame(width: width, height: height, pixels: pixels)
    }

    /// Adds what of the model moves, in the ghost's pose and colour, to the scene.
    private func add(_ ghost: Ghost, seenFrom viewpoint: Viewpoint) throws(SimulationError) {
        let data: MuJoCoData
        if let ghostData {
            data = ghostData
        } else {
            data = try MuJoCoData(model: original)
            ghostData = data
        }
        data.set(ghost.state)
        let first = Int(scene.ngeom)
        mjv_addGeoms(
            model, data.pointer, &options, nil, Int32(mjCAT_DYNAMIC.rawValue), &scene)
        let eye = viewpoint.eye.map(Float.init)
        // Nearer to the eye and smaller by as much, it covers the same pixels and is hidden by
        // nothing that it coincides with.
        let nearness: Float = 0.8
        for index in first..<Int(scene.ngeom) {
            scene.geoms[index].rgba = (
                ghost.color.x, ghost.color.y, ghost.color.z, ghost.color.w
            )
            scene.geoms[index].matid = -1
            scene.geoms[index].texid = -1
            scene.geoms[index].emission = 0.35
            scene.geoms[index].reflectance = 0
            // Decoration throws no shadow.
            scene.geoms[index].category = Int32(mjCAT_DECOR.rawValue)
            let (position, size) = (scene.geoms[index].pos, scene.geoms[index].size)
            scene.geoms[index].pos = (
                eye[0] + nearness * (position.0 - eye[0]),
                eye[1] + nearness * (position.1 - eye[1]),
                eye[2] + nearness * (position.2 - eye[2])
            )
            // Thicker, so that it is seen around what it coincides with; a capsule's last number is
            // its length.
            let rim = 0.006 * Float(viewpoint.distance)
            let isCapsule = scene.geoms[index].type == Int32(mjGEOM_CAPSULE.rawValue)
            scene.geoms[index].size = (
                nearness * (size.0 + rim), nearness * (size.1 + rim),
                nearness * (size.2 + (isCapsule ? 0 : rim))
            )
        }
    }
}

extension MuJoCoModel {
    /// Vertical angle of view of pictures of the model, degrees.
    public var fieldOfView: Double { Double(pointer.pointee.vis.global.fovy) }
}
