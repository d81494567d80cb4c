import Environments
import Evaluation
import Foundation
import MuJoCo
import Rendering

/// Draws a held-out episode as it was, and over it what models predicted, a panel each.
struct PredictionDrawing {
    /// A prediction of the episode.
    struct Forecast {
        /// Who made it.
        let name: String
        /// Predicted states, that of the present first; fewer where a later one is no number.
        let states: [SimulationState]
        /// Error after 1, 2, … steps, in standard deviations.
        let errors: [Double]
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

    /// Prepares the drawing; `predictions` are of observations after 1, 2, … steps.
    ///
    /// - Throws: ``CommandError`` when observations do not tell states, `SimulationError` when there is
    ///   no offscreen OpenGL.
    init(
        of episode: HeldOutEpisode, in environment: any SimulatedEnvironment,
        predictions: [(name: String, observations: [[Double]])], deviations: [Double],
        isPicture: Bool
    ) throws {
        let observed = try RecordedEpisode.observedState(
            of: environment, dimension: episode.present.count)
        // Where the robot is on the ground is not observed; all begin at the same place.
        let start = Array(environment.model.initialPositions.prefix(observed.omittedPositions))
        func states(_ observations: [[Double]]) -> [SimulationState] {
            observed.states(
                of: [episode.present] + observations, stepDuration: environment.stepDuration,
                start: start)
        }
        truth = states(episode.truth)
        forecasts = predictions.map { prediction in
            Forecast(
                name: prediction.name,
                states: states(
                    Array(prediction.observations.prefix { $0.allSatisfy(\.isFinite) })),
                errors: PredictionError(
                    of: [prediction.observations], truth: [episode.truth], deviations: deviations
                ).byStep)
        }
        stepDuration = environment.stepDuration
        var settings = SceneRenderer.Settings(
            for: environment.specification, model: environment.model)
        settings.width = isPicture ? 320 : 480
        settings.height = settings.width * 3 / 4
        renderer = try SceneRenderer(model: environment.model, settings: settings)
    }

    /// Predictions that end before the episode does, for a person.
    var notes: [String] {
        forecasts.filter { $0.states.count < truth.count }.map {
            "the prediction of the \($0.name) is not finite from step \($0.states.count) on and is "
                + "not drawn there"
        }
    }

    /// Draws a film strip where `url` is a png file, a row for each forecast, else a video with the
    /// forecasts side by side; returns the frames drawn.
    func write(to url: URL) throws -> Int {
        if url.pathExtension.lowercased() == "png" {
            let steps = EpisodeDrawing.even(truth.count, of: 6)
            let rows = try forecasts.indices.map { index in
                try steps.map { try frame(index, at: $0) }
            }
            try FilmStrip(rows: rows).write(to: url)
            return rows.count * steps.count
        }
        let interval = max(stepDuration, Self.duration / Double(truth.count))
        let progress = ProgressLine()
        defer { progress.finish() }
        return try VideoWriter.write(
            truth.count, picturesEvery: interval, to: url,
            progress: { progress.show(String(format: "drawing  %.0f %%", 100 * $0)) }
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
        } else {
            caption += "  not finite"
        }
        return try renderer.frame(of: truth[step], caption: caption, ghosts: ghosts)
    }
}
