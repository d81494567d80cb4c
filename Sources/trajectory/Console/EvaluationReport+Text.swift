import Evaluation
import Foundation
import Jobs
import Planning

extension EvaluationReport {
    /// The report for a person.
    var text: String {
        var lines = zip(seeds, zip(returns, lengths)).map { seed, episode in
            "seed \(seed)  return \(episode.0.text("%.1f"))  steps \(episode.1)"
        }
        lines.append(
            String(
                format: "%@: mean return %@ ± %.1f", environment, meanReturn.text("%.1f"),
                standardDeviation)
                + (normalizedScore.map { String(format: ", normalized score %.1f", $0) }
                    ?? "")
        )
        if let rate = successRate {
            lines.append(
                String(format: "reached the goal in %.0f %% of the episodes", 100 * rate)
                    + (meanStepsToGoal.map {
                        String(format: ", after %.0f steps on average", $0)
                    } ?? ""))
        }
        if let length = meanPathLength {
            lines.append(
                String(format: "by paths of %.1f m", length)
                    + (meanShortestPath.map {
                        String(format: ", where the shortest have %.1f m", $0)
                    } ?? ""))
        }
        if let median = millisecondsPerPlan, let mean = meanMillisecondsPerPlan,
            let times = planMilliseconds
        {
            lines.append(
                String(
                    format: "%.0f ms a plan (median of %d, mean %.0f, 99 %% within %.0f, "
                        + "99.9 %% within %.0f, at most %.0f)",
                    median, plans, mean, times.p99, times.p999, times.maximum))
        }
        if let limit = planner?.deadlineMilliseconds, let horizon = meanHorizon,
            let width = meanBeamWidth, let longest = longestSearchMilliseconds
        {
            lines.append(
                String(
                    format: "within %.0f ms: planned %.1f transitions with a beam of %.1f on "
                        + "average, longest search %.0f ms", limit, horizon, width, longest))
        }
        if let seconds = seconds {
            lines.append(
                String(
                    format: "%d episodes in %.1f s, %.1f a minute", returns.count, seconds,
                    60 * Double(returns.count) / seconds))
        }
        return lines.joined(separator: "\n")
    }
}

extension EvaluationJob.Progress {
    /// One line for a person.
    var line: String {
        String(
            format: "episode %d of %d  step %d  return %.0f", episode + 1, episodes, steps,
            totalReward)
            + (millisecondsPerPlan.map { String(format: "  %.0f ms a plan", $0) } ?? "")
    }
}
