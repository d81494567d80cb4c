import Files
import Processes
public import Tokenization
public import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Trainer {
    /// Trains to the end, the time limit or until told to stop, reporting about every `interval`
    /// seconds.
    ///
    /// - Parameters:
    ///   - interval: Between reports.
    ///   - isStopped: Asked after each step; where it says so, the run is saved and ends.
    ///   - report: Told how far the run is.
    /// - Returns: Where the run ended.
    /// - Throws: ``TrainingError`` when loss, gradient or weights are no finite numbers any more,
    ///   `EngineError`, `ProcessGroupError`, errors of writing, and whatever `report` throws; the
    ///   last checkpoint stays whole.
    @discardableResult
    public func run(
        reportEvery interval: Duration = .seconds(2), until isStopped: () -> Bool = { false },
        report: (TrainingProgress) throws -> Void
    ) throws -> TrainingProgress {
        if lock == nil, group.isFirst { lock = try FolderLock(directory) }
        defer { lock = nil }
        let clock = ContinuousClock()
        let started = clock.now
        guard step < options.steps else {
            let last = try finished()
            guard group.isFirst else { return last }
            try report(last)
            return last
        }
        if goesBack, group.isFirst { try Checkpoint.restorePrevious(in: directory) }
        goesBack = false
        let schedule = options.schedule(tokensPerStep: options.batchSize * training.length)
        let end = dataset.discretizer.terminationToken
        var losses = earlierLosses ?? RunningLosses(steps: 0, sum: 0, last: .nan, gradientNorm: 0)
        var lastReport = (time: clock.now, tokens: tokens)
        var rate = schedule.rate(afterTokens: tokens)
        let share = group.share(of: options.batchSize)
        var batch = emptyBatch(share)
        if group.isFirst {
            try RunRecord.write(
                options, dataset.settings, processes: group.count, in: directory)
        }
        let metrics =
            group.isFirst ? try MetricsLog(directory: directory, keepingUpTo: step) : nil
        let exchange = group.gradientExchange
        let firstStep = step + 1

        func seconds() -> Double { earlierSeconds + (clock.now - started) / .seconds(1) }
        func progress(_ heldOut: HeldOutLoss?) -> TrainingProgress {
            let elapsed = (clock.now - lastReport.time) / .seconds(1)
            return TrainingProgress(
                step: step, steps: options.steps, tokens: tokens, seconds: seconds(),
                loss: losses.steps > 0 ? losses.sum / Double(losses.steps) : losses.last,
                heldOutLoss: heldOut?.loss, heldOutCrossEntropy: heldOut?.crossEntropy,
                heldOutActionCrossEntropy: heldOut?.actionCrossEntropy, learningRate: rate,
                gradientNorm: losses.gradientNorm,
                tokensPerSecond: Double(tokens - lastReport.tokens) / max(elapsed, 1e-9))
        }

        var best = BestMeasurement(in: directory, upTo: step)
        var last = progress(nil)
        while step < options.steps {
            sampler.fill(&batch, step: step)
            rate = schedule.rate(afterTokens: tokens)
            // Distinct for each step, and the same again when the run is resumed.
            let stream = options.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(step)
            try learner.step(batch, rate: rate, dropoutStream: stream, exchange: exchange)
            step += 1
            if learner.finishesSteps, group.isAlone { try settle(&losses) }

            let outOfTime = options.timeLimit.map { seconds() >= $0 * 60 } ?? false
            let now = try agree(
                StepWord(
                    isStopped: step < options.steps && !outOfTime && isStopped(),
                    isOutOfTime: outOfTime,
                    isReportDue: clock.now - lastReport.time >= interval,
                    tokens: batch.targets.count { $0 != Int32(end) }))
            tokens += now.tokens
            let isLast = step == options.steps || now.isOutOfTime
            let isStopped = !isLast && now.isStopped
            let measures = isLast || step % options.evaluationInterval == 0
            var hasEnded = isLast
            if measures || step == firstStep, !group.isAlone {
                try requireSameWeights(learner.state())
            }
            if measures || now.isReportDue {
                try settle(&losses)
                let measured = measures ? try measuredLoss() : nil
                last = progress(measured)
                if let loss = measured?.loss {
                    let isBetter = best.add(loss)
                    if isBetter, options.keepsBest, group.isFirst {
                        try saveBest(loss, seconds: seconds())
                    }
                    if !hasEnded, let patience = options.patience, best.misses >= patience {
                        hasEnded = true
                        notes.append(
                            "stopped at step \(step): the held-out loss has not been smaller for "
                                + "\(best.misses) measurements")
                    }
                }
                // The first process knows of the measurements before this part of the run.
                if measures {
                    hasEnded = try group.exchange(hasEnded ? 1 : 0, isPatient: true)[0] != 0
                }
                if group.isFirst {
                    try metrics?.append(last)
                    try report(last)
                }
                lastReport = (clock.now, tokens)
                (losses.steps, losses.sum) = (0, 0)
            }
            if hasEnded || isStopped || step % options.checkpointInterval == 0 {
                try settle(&losses)
                if group.isFirst {
                    try save(losses, seconds: seconds())
                } else {
                    model = try checkpoint(of: learner.state(), seconds: seconds()).model
                }
            }
            if isStopped { last = progress(nil) }
            if hasEnded || isStopped { break }
        }
        return last
    }

    /// The batch of a step, counted from 1; it depends on the data and the run's seed and batch size
    /// alone, so that the batch of a step that went wrong can be looked at.
    public func batch(ofStep step: Int) -> TokenBatch {
        precondition(step > 0, "step \(step); the first is 1")
        var batch = emptyBatch(0..<options.batchSize)
        var sampler = sampler
        sampler.fill(&batch, step: step - 1)
        return batch
    }

    /// The loss on held-out windows spread over the held-out episodes, without dropout; nil where
    /// nothing is held out.
    ///
    /// - Throws: `EngineError` when the device fails.
    public func heldOutLoss() throws(EngineError) -> HeldOutLoss? { try measure(learner) }

    /// Room for some rows of a batch.
    private func emptyBatch(_ rows: Range<Int>) -> TokenBatch {
        TokenBatch(
            rows: rows.count, length: training.length,
            goalDimension: training.goalDimension, firstRow: rows.lowerBound,
            totalRows: options.batchSize)
    }

    /// Where a run that has no step left stands.
    private func finished() throws -> TrainingProgress {
        let logged = (try? MetricsLog.read(directory: directory))?.last { $0.step == step }
        let isMissing = try group.any(logged == nil)
        if var logged, !isMissing {
            logged.steps = options.steps
            return logged
        }
        // The log is gone: measured again, without dropout.
        let schedule = options.schedule(tokensPerStep: options.batchSize * training.length)
        let measured = try measuredLoss()
        return TrainingProgress(
            step: step, steps: options.steps, tokens: tokens, seconds: earlierSeconds,
            loss: try learner.loss(batch(ofStep: max(step, 1))), heldOutLoss: measured?.loss,
            heldOutCrossEntropy: measured?.crossEntropy,
            heldOutActionCrossEntropy: measured?.actionCrossEntropy,
            learningRate: schedule.rate(afterTokens: tokens),
            gradientNorm: earlierLosses?.gradientNorm ?? 0, tokensPerSecond: 0)
    }

    // MARK: - Divergence

    /// Waits for the steps so far, and refuses to go on from what is no finite number.
    private func settle(_ losses: inout RunningLosses) throws {
        let own = try learner.summary()
        guard own.steps > 0 else { return }
        let summary = try whole(own)
        guard summary.lossSum.isFinite, summary.lastLoss.isFinite else {
            let loss = summary.lastLoss.isFinite ? summary.lossSum : summary.lastLoss
            let before = summary.finiteSteps.map { step - summary.steps + $0 + 1 }
            throw diverged("the loss became \(Self.text(loss))", at: before)
        }
        guard summary.lastGradientNorm.isFinite else {
            throw diverged(
                "the norm of the gradient became \(Self.text(summary.lastGradientNorm))",
                at: summary.steps == 1 ? step : nil)
        }
        losses.steps += summary.steps
        losses.sum += summary.lossSum
        losses.last = summary.lastLoss
        losses.gradientNorm = summary.lastGradientNorm
    }

    private func measuredLoss() throws -> HeldOutLoss? {
        guard let measured = try heldOutLoss() else { return nil }
        guard measured.loss.isFinite else {
            throw diverged("the held-out loss became \(Self.text(measured.loss))", at: nil)
        }
        return measured
    }

    /// Not a number has a sign, which says nothing.
    private static func text(_ number: Double) -> String { number.isNaN ? "nan" : "\(number)" }

    private func diverged(_ what: String, at step: Int?) -> TrainingError {
        TrainingError(
            .diverged, in: directory.path,
            "\(what) \(step.map { "at step \($0)" } ?? "by step \(self.step)") (seed "
                + "\(options.seed), which with the step decides the batch); try a smaller learning "
                + "rate")
    }

    private func save(_ losses: RunningLosses, seconds: Double) throws {
        let state = try learner.state()
        var checkpoint = try checkpoint(of: state, seconds: seconds)
        model = checkpoint.model
        checkpoint.description.losses = losses
        try checkpoint.write(to: directory, optimizer: state.moments)
    }

    private func saveBest(_ loss: Double, seconds: Double) throws {
        var checkpoint = try checkpoint(of: learner.state(), seconds: seconds)
        checkpoint.description.heldOutLoss = loss
        try checkpoint.write(to: Checkpoint.bestFolder(in: directory))
    }

    private func checkpoint(of state: EngineState, seconds: Double) throws -> Checkpoint {
        if let ruined = state.ruined.first {
            throw diverged("the \(ruined) became no finite numbers", at: nil)
        }
        let model = TrajectoryTransformer(model.configuration, values: state.parameters)
        return Checkpoint(
            model: model, discretizer: dataset.discretizer, conditions: dataset.conditions,
            tokenization: dataset.settings, environment: environment,
            observationDimensions: observationDimensions, step: step,
            tokens: tokens, seconds: (10 * seconds).rounded() / 10, seed: options.seed)
    }
}
