import Environments
import Episodes
import Foundation
import Learning
import Policies
import TensorBoard

extension BehaviorTrainingJob {
    /// Augmented random search.
    func run(
        _ settings: RandomSearch.Settings, report: (Event) -> Void
    ) async throws -> Result {
        let name = environment
        let pool = try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(name) }
        var search = try RandomSearch(settings, workers: pool)
        let events = try tensorBoard.map { try EventFile(in: $0, after: 0) }
        let (steps, interval) = (steps ?? 3_000_000, measurementInterval ?? 10)

        let start = ContinuousClock.now
        var best: (score: PolicyScore, iteration: Int, steps: Int)?
        while search.steps < steps {
            let progress = await search.advance()
            let isEnding = progress.steps >= steps || isStopped()
            guard progress.iteration.isMultiple(of: interval) || isEnding else { continue }
            let score = await PolicyScore.measure(
                PolicyMixture(search.policy), episodes: episodes, firstSeed: Self.firstSeed,
                workers: pool)
            let metadata = search.record.metadata.merging([
                "environment": pool.specification.identifier,
                "mean_return": String(format: "%.1f", score.mean),
            ]) { $1 }
            if let snapshots {
                let file = String(
                    format: "iteration-%05d-return-%.0f.safetensors", progress.iteration,
                    score.mean)
                try search.policy.write(
                    to: snapshots.appendingPathComponent(file), metadata: metadata)
            }
            if score.mean > best?.score.mean ?? -.infinity {
                best = (score, progress.iteration, progress.steps)
                try search.policy.write(to: output, metadata: metadata)
            }
            let measurement = Measurement(
                steps: progress.steps, iteration: progress.iteration, score: score,
                best: best?.score.mean ?? score.mean, updates: nil,
                seconds: elapsed(since: start))
            try events?.add(measurement)
            report(.measurement(measurement))
            if let targetReturn, score.mean >= targetReturn { break }
            if isEnding, progress.steps < steps, let best {
                throw JobError(
                    .stopped,
                    "stopped after \(progress.steps) of \(steps) steps; '\(output.given)' holds the "
                        + "best policy so far, of iteration \(best.iteration); a random search is not "
                        + "resumed, the same command begins anew")
            }
        }
        guard let best else {
            throw JobError(
                .invalidSetting, "no measured return in '\(environment)' was a number")
        }
        return Result(
            output: output.given, meanReturn: best.score.mean,
            standardDeviation: best.score.deviation, bestSteps: best.steps,
            bestIteration: best.iteration, iterations: search.iteration, steps: search.steps,
            updates: nil, seconds: elapsed(since: start))
    }
}
