public import Environments
import Episodes
public import Evaluation
public import Foundation
import MuJoCo
import Rendering

/// Draws a held-out episode as it was, and over it what models predicted, a panel each.
public struct PredictionDrawing {
    /// A prediction of the episode.
    private struct Forecast {
        /// Who made it.
        let name: String
        /// Predicted states, that of the present first; fewer where a later one is no number.
        let states: [SimulationState]
        /// Error after 1, 2, … steps, in standard deviations.
        let errors: [Double]
        /// Metres on the ground from the true place, at each state.
        let distances: [Double]
    }

    /// The states as they were, that of the present first.
    private let truth: [SimulationState]
    private let forecasts: [Forecast]
    private let stepDuration: Double
    private let renderer: SceneRenderer

    /// Colours that no robot has, one for each forecast.
    private static let colors: [SIMD3<Float>] = [EpisodeDrawing.ghostColor, [0.75, 0.1, 0.55]]
    /// Seconds that a video takes, unless the simulation took longer.
    private static let duration = 6.0
    /// Metres on the ground from the true place at which a prediction is still in the picture.
    private static let reach = 1.0

    /// Prepares the drawing; `predictions` are of observations after 1, 2, … steps.
    ///
    /// Pictures and GIFs get smaller panels than other videos.
    ///
    /// - Throws: ``FigureError`` when observations do not tell states, `SimulationError` when there
    ///   is no offscreen OpenGL.
    public init(
        of episode: HeldOutEpisode, in environment: any SimulatedEnvironment,
        predictions: [(name: String, observations: [[Double]])], deviations: [Double],
        isSmall: Bool
    ) throws {
        let observed = try RecordedEpisode.observedState(
            of: environment, dimension: episode.present.count)
        // Where the robot is on the ground is not observed; all begin at the same place.
        let start = Array(environment.model.initialPositions.prefix(observed.omittedPositions))
        func states(_ observations: some Collection<[Double]>) -> [SimulationState] {
            observed.states(
                of: [episode.present] + observations, stepDuration: environment.stepDuration,
                start: start)
        }
        let truth = states(episode.truth)
        self.truth = truth
        forecasts = predictions.map { prediction in
            let placed = zip(
                states(prediction.observations.prefix { $0.allSatisfy(\.isFinite) }), truth
            ).map { Self.within(Self.reach, $0, of: $1, coordinates: observed.omittedPositions) }
            return Forecast(
                name: prediction.name, states: placed.map(\.state),
                errors: PredictionError(
                    of: [prediction.observations], truth: [episode.truth], deviations: deviations
                ).byStep, distances: placed.map(\.distance))
        }
        stepDuration = environment.stepDuration
        var settings = SceneRenderer.Settings(
            for: environment.specification, model: environment.model)
        settings.width = isSmall ? 320 : 480
        settings.height = settings.width * 3 / 4
        renderer = try SceneRenderer(model: environment.model, settings: settings)
    }

    /// A state no further than `limit` from the true one in the coordinates that are not observed,
    /// and how far it really is.
    private static func within(
        _ limit: Double, _ state: SimulationState, of truth: SimulationState, coordinates: Int
    ) -> (state: SimulationState, distance: Double) {
        let difference = (0..<coordinates).map { state.positions[$0] - truth.positions[$0] }
        let distance = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard distance > limit else { return (state, distance) }
        var state = state
        for index in 0..<coordinates {
            state.positions[index] = truth.positions[index] + difference[index] * limit / distance
        }
        return (state, distance)
    }

    /// What is not drawn as it was predicted, for a person.
    public var notes: [String] {
        forecasts.flatMap { forecast in
            var notes: [String] = []
            if forecast.states.count < truth.count {
                notes.append(
                    "the prediction of the \(forecast.name) is not finite from step "
                        + "\(forecast.states.count) on and is not drawn there")
            }
            if let furthest = forecast.distances.max(), furthest > Self.reach {
                notes.append(
                    String(
                        format: "the prediction of the %@ strays up to %.1f m from the true place; "
                            + "it is drawn at most %.0f m from it", forecast.name, furthest,
                        Self.reach))
            }
            return notes
        }
    }

    /// Draws a film strip where `url` is a png file, a row for each forecast, else a video with the
    /// forecasts side by side; returns the frames drawn.
    public func write(to url: URL, progress: (Double) -> Void = { _ in }) throws -> Int {
        if url.pathExtension.lowercased() == "png" {
            let steps = EpisodeDrawing.even(truth.count, of: 6)
            let rows = try forecasts.indices.map { index in
                try steps.map { try frame(index, at: $0) }
            }
            try FilmStrip(rows: rows).write(to: url)
            return rows.count * steps.count
        }
        let interval = max(stepDuration, Self.duration / Double(truth.count))
        return try VideoWriter.write(
            truth.count, picturesEvery: interval, to: url,
            progress: progress
        ) { step throws(SimulationError) in
            var panels: [Frame] = []
            for index in forecasts.indices { panels.append(try frame(index, at: step)) }
            return FilmStrip(rows: [panels]).picture ?? panels[0]
        }
    }

    /// The episode at a step with one forecast over it.
    private func frame(_ index: Int, at step: Int) throws(SimulationError) -> Frame {
        let forecast = forecasts[index]
        var caption = "\(forecast.name)  step \(step)"
        var ghosts: [Ghost] = []
        if step < forecast.states.count {
            ghosts = [
                Ghost(
                    forecast.states[step],
                    color: SIMD4(Self.colors[index % Self.colors.count], 0.4))
            ]
            if step > 0 { caption += String(format: "  error %.2f", forecast.errors[step - 1]) }
            if forecast.distances[step] > Self.reach {
                caption += String(format: "  %.1f m off", forecast.distances[step])
            }
        } else {
            caption += "  not finite"
        }
        return try renderer.frame(of: truth[step], caption: caption, ghosts: ghosts)
    }
}
