public import Foundation
import MuJoCo
public import Rendering

/// Draws a recorded episode to a video or to a strip of frames, with what its plans foresaw.
public struct EpisodeDrawing {
    /// The episode.
    public let episode: RecordedEpisode
    /// Steps whose states are drawn.
    public let steps: Range<Int>
    /// Simulated seconds of a step.
    public let stepDuration: Double
    /// Draws the frames.
    public let renderer: SceneRenderer

    /// Blue, which no robot is.
    static let ghostColor = SIMD3<Float>(0.15, 0.42, 1)

    /// A drawing of some steps of an episode, each of `stepDuration` simulated seconds.
    public init(
        of episode: RecordedEpisode, steps: Range<Int>, stepDuration: Double,
        renderer: SceneRenderer
    ) {
        self.episode = episode
        self.steps = steps
        self.stepDuration = stepDuration
        self.renderer = renderer
    }

    // MARK: - Video

    /// Draws a video that plays at `speed` times the speed of the simulation; returns its frames.
    ///
    /// `progress` is told the share that is drawn.
    public func video(
        to url: URL, speed: Double, progress: (Double) -> Void = { _ in }
    ) throws -> Int {
        try renderer.renderEpisode(
            states: Array(episode.states[steps]), stepDuration: stepDuration / speed, to: url,
            caption: { caption(steps.lowerBound + $0) },
            ghosts: { ghosts(at: steps.lowerBound + $0) },
            progress: progress)
    }

    /// The latest plan from here on: now, half-way to its end and at its end, the last two paler.
    private func ghosts(at step: Int) -> [Ghost] {
        guard let forecast = episode.forecasts.last(where: { $0.step <= step }) else { return [] }
        let rest = forecast.states.dropFirst(step - forecast.step)
        // More of them cover what happened.
        let shown = Self.even(rest.count, of: 3)
        return shown.enumerated().reversed().map { place, index in
            ghost(rest[rest.startIndex + index], opacity: place == 0 ? 0.22 : 0.08)
        }
    }

    private func ghost(_ state: SimulationState, opacity: Float) -> Ghost {
        Ghost(state, color: SIMD4(Self.ghostColor, opacity))
    }

    private func caption(_ step: Int) -> String {
        let sum = episode.rewards.prefix(step).reduce(0, +)
        return String(format: "step %d  return %.0f", step, sum)
    }

    // MARK: - Strip

    /// Draws `count` states, evenly spread, in rows of at most `columns`; returns the frames drawn.
    public func strip(to url: URL, count: Int, columns: Int) throws -> Int {
        let frames = try Self.even(steps.count, of: count).map { index in
            let step = steps.lowerBound + index
            return try renderer.frame(of: episode.states[step], caption: caption(step))
        }
        try FilmStrip(frames, columns: min(columns, frames.count)).write(to: url)
        return frames.count
    }

    /// Draws `count` plans, evenly spread over the episode, a row each: `columns` of its steps with
    /// what was planned over what happened; returns the frames drawn.
    public func planStrip(to url: URL, count: Int, columns: Int) throws -> Int {
        let whole = episode.forecasts.filter {
            steps.contains($0.step) && steps.contains($0.step + $0.states.count - 1)
        }
        guard !whole.isEmpty else {
            throw FigureError(
                code: .noPlan, subject: "plans to '\(url.path)'",
                detail: "none lies within the episode's \(steps.count) states; plan less far ahead "
                    + "or take more steps")
        }
        var drawn = 0
        let rows = try Self.even(whole.count, of: count).map { index in
            let forecast = whole[index]
            return try Self.even(forecast.states.count, of: columns).map { ahead in
                drawn += 1
                return try renderer.frame(
                    of: episode.states[forecast.step + ahead],
                    caption: ahead == 0 ? "step \(forecast.step)" : "+\(ahead)",
                    ghosts: [ghost(forecast.states[ahead], opacity: 0.22)])
            }
        }
        try FilmStrip(rows: rows).write(to: url)
        return drawn
    }

    /// At most `count` of the numbers below `total`, evenly spread, the first and the last among
    /// them.
    package static func even(_ total: Int, of count: Int) -> [Int] {
        guard total > count else { return Array(0..<total) }
        guard count > 1 else { return [0] }
        return (0..<count).map { ($0 * (total - 1) + (count - 1) / 2) / (count - 1) }
    }
}
