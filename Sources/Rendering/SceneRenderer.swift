public import Foundation
public import MuJoCo

/// Draws states of a robot, with a camera that goes along with it, to frames and videos.
///
/// Belongs to one thread at a time.
public final class SceneRenderer {
    /// How a scene is seen.
    public struct Settings: Sendable, Hashable {
        /// Pixels in a row.
        public var width = 480
        /// Rows.
        public var height = 360
        /// Frames in a second of video.
        public var framesPerSecond = 25.0
        /// The body that the camera follows.
        public var trackedBody = "torso"
        /// The height at which the camera aims, in metres; it does not bob with the body.
        public var aimHeight = 0.85
        /// Metres between camera and body.
        public var distance = 3.2
        /// Direction of sight in the ground plane, degrees; 90 looks along y with x to the right.
        public var azimuth = 90.0
        /// Direction of sight against the ground plane, degrees; negative looks down.
        public var elevation = -12.0

        /// A view from the side, apt for the planar robots.
        public init() {}
    }

    private let settings: Settings
    private let data: MuJoCoData
    private let renderer: FrameRenderer
    private let trackedBody: Int

    /// Prepares drawing a model.
    ///
    /// - Throws: `SimulationError` when no offscreen OpenGL is available.
    public init(model: MuJoCoModel, settings: Settings = Settings()) throws(SimulationError) {
        self.settings = settings
        data = try MuJoCoData(model: model)
        renderer = try FrameRenderer(model: model, width: settings.width, height: settings.height)
        trackedBody = model.bodyIndex(settings.trackedBody) ?? min(1, model.bodyCount - 1)
    }

    /// Draws one state, with `caption` in the upper left corner.
    ///
    /// - Throws: `SimulationError` when the OpenGL context is lost.
    public func frame(of state: SimulationState, caption: String? = nil) throws(SimulationError)
        -> Frame
    {
        data.set(state)
        let body = data.position(ofBody: trackedBody)
        var viewpoint = Viewpoint(
            distance: settings.distance, azimuth: settings.azimuth, elevation: settings.elevation)
        viewpoint.target = (body.x, body.y, settings.aimHeight)
        return try renderer.render(data, from: viewpoint, caption: caption)
    }

    /// Draws an episode to an MP4 or GIF file that plays at the speed of the simulation.
    ///
    /// `states` are `stepDuration` seconds apart; as many are left out as the frame rate allows.
    /// `caption` is asked for each state that is drawn, `progress` told the share done so far.
    ///
    /// - Throws: ``RenderingError`` when nothing can be drawn or the file not be written.
    public func renderEpisode(
        states: [SimulationState], stepDuration: Double, to url: URL,
        caption: (Int) -> String? = { _ in nil }, progress: (Double) -> Void = { _ in }
    ) throws(RenderingError) {
        guard !states.isEmpty else {
            throw RenderingError(
                code: .empty, file: url.path, detail: "the episode has no states; run it first")
        }
        let writer = try VideoWriter(
            to: url, width: settings.width, height: settings.height,
            framesPerSecond: settings.framesPerSecond)
        let indices = Self.indices(
            count: states.count, stepDuration: stepDuration,
            framesPerSecond: settings.framesPerSecond)
        for (drawn, index) in indices.enumerated() {
            let frame: Frame
            do {
                frame = try self.frame(of: states[index], caption: caption(index))
            } catch {
                throw RenderingError(code: .simulation, file: url.path, detail: "\(error)")
            }
            try writer.append(frame)
            progress(Double(drawn + 1) / Double(indices.count))
        }
        try writer.finish()
    }

    /// Which states to draw so that the video plays at the speed of the simulation.
    package static func indices(count: Int, stepDuration: Double, framesPerSecond: Double) -> [Int]
    {
        let duration = Double(count) * stepDuration
        let frames = max(1, Int((duration * framesPerSecond).rounded()))
        return (0..<frames).map { min(count - 1, $0 * count / frames) }
    }
}
