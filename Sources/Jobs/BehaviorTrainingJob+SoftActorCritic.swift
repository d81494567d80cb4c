import Environments
import Episodes
import Files
import Foundation
import Learning
import Policies
import TensorBoard

extension BehaviorTrainingJob {
    /// Soft actor-critic.
    func run(_ settings: SoftActorCriticSettings, report: (Event) -> Void) async throws -> Result {
        if let timeLimit, !(timeLimit > 0 && timeLimit < 1e9) {
            throw JobError(
                .invalidSetting, "a time limit of \(timeLimit) seconds; give a positive number")
        }
        let files = BehaviorRunFiles(output: output)
        let (steps, interval) = (steps ?? 1_000_000, measurementInterval ?? 10_000)
        // Two that write the same files would mix them.
        let lock = try FolderLock(beside: output)
        defer { withExtendedLifetime(lock) {} }
        let name = environment
        let pool = try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(name) }
        try pool.specification.layout.requireMemory(transitions: min(steps, settings.capacity))
        var (trainer, best) = try await begin(settings, files, report: report)
        var curve = BehaviorCurve(url: files.curve, keepingUpTo: trainer.steps)
        let events = try tensorBoard.map { try EventFile(in: $0, after: trainer.steps) }
        var memory =
            keepsMemory
            ? SoftActorCriticMemoryFolder(
                files.memory, capacity: settings.capacity, firstRow: trainer.steps) : nil
        if !resumes { memory?.clear() }
        var watch = BehaviorStopwatch(secondsBefore: best.seconds)
        var (sinceReport, sinceMeasurement) = (SoftActorCriticUpdates(), SoftActorCriticUpdates())
        var lastMeasured = trainer.steps

        let end = timeLimit.map { ContinuousClock.now + .seconds($0) }
        var isOver = false
        while trainer.steps < steps && !isOver {
            let round = try await trainer.advance()
            memory?.append(round.rows)
            sinceReport = sinceReport + round.updates
            sinceMeasurement = sinceMeasurement + round.updates
            best.recentReturns = (best.recentReturns + round.returns).suffix(10)
            if let seconds = watch.due() {
                report(
                    .progress(
                        Progress(
                            steps: round.steps, total: steps, meanReturn: best.recentReturn,
                            updates: sinceReport,
                            updatesPerSecond: Double(sinceReport.count) / seconds)))
                sinceReport = SoftActorCriticUpdates()
            }
            let wasStopped = round.steps < steps && isStopped()
            isOver = wasStopped || end.map { ContinuousClock.now >= $0 } ?? false
            guard
                round.steps / interval > lastMeasured / interval || round.steps >= steps || isOver
            else { continue }
            lastMeasured = round.steps

            let policy = try trainer.policy()
            let score = await PolicyScore.measure(
                PolicyMixture(policy), episodes: episodes, firstSeed: Self.firstSeed,
                workers: pool)
            guard score.mean.isFinite else {
                throw JobError(
                    .invalidSetting, "a measured return in '\(environment)' is no number")
            }
            var snapshot = try await trainer.snapshot()
            let metadata = record(of: snapshot, score, watch.seconds, best.refills)
            if score.mean > best.mean ?? -.infinity {
                best.take(score, steps: round.steps)
                try policy.write(to: output, metadata: metadata)
            }
            if let snapshots {
                let file = String(
                    format: "steps-%09d-return-%.0f.safetensors", round.steps, score.mean)
                try policy.write(to: snapshots.appendingPathComponent(file), metadata: metadata)
            }
            let measurement = Measurement(
                steps: round.steps, iteration: nil, score: score, best: best.mean ?? score.mean,
                updates: sinceMeasurement, seconds: watch.seconds)
            try curve.append(
                measurement, trainingReturn: best.recentReturn, updates: snapshot.state.updates)
            try events?.add(measurement, trainingReturn: best.recentReturn)
            // Last, so that what it stands for is written: the run goes on from here.
            try memory?.write()
            best.seconds = watch.seconds
            snapshot.notes = best.notes
            try snapshot.write(to: files.snapshot)
            report(.measurement(measurement))
            sinceMeasurement = SoftActorCriticUpdates()
            if let targetReturn, score.mean >= targetReturn { break }
            if wasStopped {
                throw JobError(
                    .paused,
                    "stopped after \(round.steps) of \(steps) steps; '\(output.given)' holds the best "
                        + "policy so far, '\(files.snapshot.given)' the run; resume it to go on")
            }
        }
        guard let mean = best.mean else {
            throw JobError(
                .invalidSetting, "the run in '\(files.snapshot.given)' has its \(steps) steps")
        }
        return Result(
            output: output.given, meanReturn: mean, standardDeviation: best.deviation,
            bestSteps: best.steps, bestIteration: nil, iterations: nil, steps: trainer.steps,
            updates: try await trainer.snapshot().state.updates, seconds: watch.seconds)
    }

    /// The run from its start, or from where its files say.
    private func begin(
        _ settings: SoftActorCriticSettings, _ files: BehaviorRunFiles, report: (Event) -> Void
    ) async throws -> (SoftActorCriticTrainer, BehaviorBest) {
        let (name, workers) = (environment, workers)
        let make: @Sendable () throws -> any Environment = { try EnvironmentRegistry.make(name) }
        let engine = engine ?? SoftActorCriticTrainer.processor(workers: workers)
        let execution = SoftActorCriticTrainer.Execution(
            workers: workers, hasDevice: self.engine != nil)
        let isThere = FileManager.default.fileExists(atPath: files.snapshot.path)
        guard resumes else {
            guard !isThere else {
                throw JobError(
                    .runExists,
                    "there is a run in '\(files.snapshot.given)' already; go on with it or choose "
                        + "another place")
            }
            return (
                try SoftActorCriticTrainer(
                    settings, execution: execution, engine: engine, make: make),
                BehaviorBest()
            )
        }
        guard isThere else {
            throw JobError(
                .noRun, "there is no run to go on with: '\(files.snapshot.given)' is missing")
        }
        let snapshot = try SoftActorCriticSnapshot(contentsOf: files.snapshot)
        if let (key, value) = settings.metadata.first(where: {
            snapshot.settings.metadata[$0.key] != $0.value
        }) {
            throw JobError(
                .mismatch,
                "the run in '\(files.snapshot.given)' was begun with \(key) "
                    + "\(snapshot.settings.metadata[key] ?? "unset"), not \(value); "
                    + "give the same settings")
        }
        let memory = try SoftActorCriticMemoryFolder.rows(of: snapshot, in: files.memory)
        var best = BehaviorBest(snapshot.notes)
        if memory == nil {
            best.refills.append(snapshot.steps)
            report(
                .note(
                    "the memory was not kept: the policy of step \(snapshot.steps) fills it "
                        + "again with \(settings.warmUp) transitions before it learns on, and the "
                        + "run is not the one that would have been"))
        }
        return (
            try await SoftActorCriticTrainer(
                resuming: snapshot, memory: memory, execution: execution, engine: engine,
                make: make), best
        )
    }

    /// How a policy came about, for its file.
    private func record(
        of snapshot: SoftActorCriticSnapshot, _ score: PolicyScore, _ seconds: Double,
        _ refills: [Int]
    ) -> [String: String] {
        var record = snapshot.settings.metadata
        record["environment"] = snapshot.environment
        record["steps"] = "\(snapshot.steps)"
        record["updates"] = "\(snapshot.state.updates)"
        record["hours"] = String(format: "%.3f", seconds / 3600)
        record["device"] = device
        record["mean_return"] = String(format: "%.1f", score.mean)
        if !refills.isEmpty {
            record["memory_refilled_at"] = refills.map(String.init).joined(separator: ",")
        }
        return record
    }
}
