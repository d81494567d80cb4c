public import Foundation
public import MuJoCo

/// Draws states of a robot, with a camera that goes along with it, to frames and videos.
///
/// Belongs to one thread at a time.
public final class SceneRenderer {
    /// How a scene is seen.
    public struct Settings: Sendable, Hashable {
        /// What the camera looks at.
        public enum Aim: Sendable, Hashable {
            /// A body, at a fixed height in metres, so that the view does not bob with it; without
            /// a height, the middle of the model's.
            case body(String, height: Double?)
            /// The middle of the model; it does not move.
            case model
        }
        /// Pixels in a row.
        public var width = 480
        /// Rows.
        public var height = 360
        /// Frames in a second of video.
        public var framesPerSecond = 25.0
        /// What the camera looks at.
        public var aim = Aim.body("torso", height: 0.85)
        /// Metres between camera and what it looks at; nil fits the model in its initial pose into
        /// the picture.
        public var distance: Double? = 3.2
        /// Direction of sight in the ground plane, degrees; 90 looks along y with x to the right.
        public var azimuth = 90.0
        /// Direction of sight against the ground plane, degrees; negative looks down.
        public var elevation = -12.0

        /// A view from the side, apt for the planar robots.
        public init() {}
    }

    /// How the scene is seen.
    public let settings: Settings
    private let data: MuJoCoData
    private let renderer: FrameRenderer
    private let trackedBody: Int
    private let distance: Double
    /// The middle of the model in its initial pose.
    private let middle: SIMD3<Double>

    /// Prepares drawing a model.
    ///
    /// - Throws: `SimulationError` when no offscreen OpenGL is available.
    public init(model: MuJoCoModel, settings: Settings = Settings()) throws(SimulationError) {
        self.settings = settings
        data = try MuJoCoData(model: model)
        renderer = try FrameRenderer(model: model, width: settings.width, height: settings.height)
        switch settings.aim {
        case .body(let name, _):
            trackedBody = model.bodyIndex(name) ?? min(1, model.bodyCount - 1)
        case .model: trackedBody = 0
        }
        data.forward()
        let (low, high) = data.bounds
        middle = (low + high) / 2
        distance =
            settings.distance
            ?? Self.distance(
                toFit: (high - low) / 2, fieldOfView: model.fieldOfView, settings: settings)
    }

    /// How far away a box must be to fill most of the picture; `half` is from its middle to a
    /// corner.
    private static func distance(
        toFit half: SIMD3<Double>, fieldOfView: Double, settings: Settings
    ) -> Double {
        let (turn, tilt) = (settings.azimuth * .pi / 180, settings.elevation * .pi / 180)
        let sight = SIMD3(cos(tilt) * cos(turn), cos(tilt) * sin(turn), sin(tilt))
        let right = SIMD3(sin(turn), -cos(turn), 0)
        let up = SIMD3(-sin(tilt) * cos(turn), -sin(tilt) * sin(turn), cos(tilt))
        func reach(_ axis: SIMD3<Double>) -> Double {
            abs(axis.x) * half.x + abs(axis.y) * half.y + abs(axis.z) * half.z
        }
        let slope = tan(fieldOfView / 2 * .pi / 180)
        let aspect = Double(settings.width) / Double(settings.height)
        let margin = 1.08
        return margin * max(reach(up) / slope, reach(right) / (slope * aspect)) + reach(sight)
    }

    /// Draws one state, with `caption` in the upper left corner and `ghosts` beside it.
    ///
    /// - Throws: `SimulationError` when the OpenGL context is lost.
    public func frame(
        of state: SimulationState, caption: String? = nil, ghosts: [Ghost] = []
    ) throws(SimulationError) -> Frame {
        data.set(state)
        var viewpoint = Viewpoint(
            distance: distance, azimuth: settings.azimuth, elevation: settings.elevation)
        switch settings.aim {
        case .body(_, let height):
            let body = data.position(ofBody: trackedBody)
            viewpoint.target = (body.x, body.y, height ?? middle.z)
        case .model:
            viewpoint.target = (middle.x, middle.y, middle.z)
        }
        return try renderer.render(data, from: viewpoint, caption: caption, ghosts: ghosts)
    }

    /// Draws an episode to an MP4 or GIF file that plays at the speed of the simulation.
    ///
    /// `states` are `stepDuration` seconds apart; as many are left out, or shown for longer, as the
    /// frame rate asks for. `caption` and `ghosts` are asked for each state that is drawn,
    /// `progress` is told the share done so far.
    ///
    /// - Returns: Number of frames.
    /// - Throws: ``RenderingError`` when nothing can be drawn or the file not be written.
    @discardableResult
    public func renderEpisode(
        states: [SimulationState], stepDuration: Double, to url: URL,
        caption: (Int) -> String? = { _ in nil }, ghosts: (Int) -> [Ghost] = { _ in [] },
        progress: (Double) -> Void = { _ in }
    ) throws(RenderingError) -> Int {
        try VideoWriter.write(
            states.count, picturesEvery: stepDuration, to: url,
            framesPerSecond: settings.framesPerSecond, progress: progress
        ) { index throws(SimulationError) in
            try frame(of: states[index], caption: caption(index), ghosts: ghosts(index))
        }
    }
}
