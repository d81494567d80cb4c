public import Foundation
internal import Layers
public import Tokenization
internal import Trajectories
public import Transformer

/// Trains a model on the windows of a dataset and keeps a run folder that can be resumed.
///
/// The folder holds the checkpoint (weights, discretizer, optimizer) and `metrics.csv`. A run that is
/// stopped and resumed makes the same steps as one that is not.
public final class Trainer {
    /// The model being trained.
    public let model: TrajectoryTransformer
    /// How it is trained.
    public let options: TrainingOptions
    /// The run folder.
    public let directory: URL

    private let dataset: TokenizedDataset
    private let training: TokenWindows
    private let heldOut: TokenWindows
    private let environment: String?
    private let observationDimensions: Int?
    private let stepper: TrainingStep
    private var sampler: WindowSampler
    private var step = 0
    private var tokens = 0
    private var earlierSeconds = 0.0

    /// Windows of the held-out measurement, at most.
    private static let heldOutLimit = 256

    /// Prepares a run in `directory`; an existing run there goes on if `resume` is set.
    ///
    /// `environment` and `observationDimensions` are kept in the checkpoint
    /// (``Checkpoint/Description``).
    ///
    /// - Throws: ``CheckpointError`` when there is a run in the folder and `resume` is not set, or the
    ///   run there is of another model; errors of reading and writing.
    public init(
        _ configuration: TransformerConfiguration, dataset: TokenizedDataset,
        options: TrainingOptions, directory: URL, environment: String? = nil,
        observationDimensions: Int? = nil, resume: Bool = false
    ) throws {
        self.options = options
        self.dataset = dataset
        self.directory = directory
        self.environment = environment
        self.observationDimensions = observationDimensions
        if let problem = options.problem ?? configuration.problem {
            throw CheckpointError(
                code: .mismatch, file: directory.path, detail: "unusable options: \(problem)")
        }
        guard configuration.goalDimension == dataset.windows.goalColumns.count else {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail:
                    "a model of \(configuration.goalDimension) goal tokens cannot be trained on "
                    + "goals of \(dataset.windows.goalColumns.count) columns; make "
                    + "goalDimension the number of goalColumns")
        }
        (training, heldOut) = dataset.windows.split(
            heldOutFraction: options.heldOutFraction, seed: options.seed)
        guard training.count > 0 else {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail: "the dataset has no episode of two transitions or more to train on")
        }
        let isPresent = Checkpoint.exists(in: directory)
        if isPresent && !resume {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail: "there is a run in it already; pass --resume to go on with it, or another "
                    + "--output")
        }
        if resume && !isPresent {
            throw CheckpointError(
                code: .missing, file: directory.path,
                detail: "there is no run in it to resume; leave out --resume to begin one")
        }
        let present = isPresent ? try Checkpoint.description(in: directory) : nil
        if let present {
            let checkpoint = try Checkpoint(directory: directory)
            try Trainer.check(present, configuration, dataset, checkpoint.discretizer, directory)
            try RunRecord.check(options, dataset.settings, in: directory)
            model = checkpoint.model
            step = present.step
            tokens = present.tokens
            earlierSeconds = present.notes["seconds"].flatMap(Double.init) ?? 0
        } else {
            model = TrajectoryTransformer(configuration, seed: options.seed)
        }
        stepper = TrainingStep(
            model, windowLength: training.length, gradientLimit: Float(options.gradientLimit),
            weightDecay: Float(options.weightDecay), workers: options.workers)
        if let optimizer = present?.optimizer {
            try stepper.restore(
                from: directory.appendingPathComponent(optimizer), step: step)
        }
        sampler = WindowSampler(windowCount: training.count, seed: options.seed)
    }

    /// Trains to the end or the time limit, reporting about every `interval` seconds.
    ///
    /// - Returns: Where the run ended.
    /// - Throws: Errors of writing, and whatever `report` throws; the last checkpoint stays whole.
    @discardableResult
    public func run(
        reportEvery interval: Duration = .seconds(2), report: (TrainingProgress) throws -> Void
    ) throws -> TrainingProgress {
        let schedule = options.schedule(tokensPerStep: options.batchSize * training.length)
        let end = dataset.discretizer.terminationToken
        let clock = ContinuousClock()
        let started = clock.now
        var lastReport = (time: clock.now, tokens: tokens, losses: 0.0, steps: 0)
        var lastLoss = Double.nan
        var rate = schedule.rate(afterTokens: tokens)
        var result = TrainingStep.Result(loss: .nan, gradientNorm: 0)
        var batch = TokenBatch(
            rows: options.batchSize, length: training.length,
            goalDimension: training.goalColumns.count)
        try RunRecord.write(options, dataset.settings, in: directory)
        let metrics = try MetricsLog(directory: directory, keepingUpTo: step)

        func seconds() -> Double { earlierSeconds + (clock.now - started) / .seconds(1) }
        func progress(heldOutLoss: Double?) -> TrainingProgress {
            let elapsed = (clock.now - lastReport.time) / .seconds(1)
            return TrainingProgress(
                step: step, steps: options.steps, tokens: tokens, seconds: seconds(),
                loss: lastReport.steps > 0
                    ? lastReport.losses / Double(lastReport.steps) : lastLoss,
                heldOutLoss: heldOutLoss, learningRate: rate,
                gradientNorm: Double(result.gradientNorm),
                tokensPerSecond: Double(tokens - lastReport.tokens) / max(elapsed, 1e-9))
        }

        var last = progress(heldOutLoss: nil)
        while step < options.steps {
            sampler.fill(&batch, from: training, step: step)
            rate = schedule.rate(afterTokens: tokens)
            // Distinct for each step, and the same again when the run is resumed.
            let stream = options.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(step)
            result = stepper.run(batch, rate: rate, dropoutStream: stream)
            guard result.loss.isFinite else {
                throw TrainingError(step: step, loss: result.loss)
            }
            lastLoss = result.loss
            step += 1
            tokens += batch.targets.count { $0 != Int32(end) }
            lastReport.losses += result.loss
            lastReport.steps += 1

            let outOfTime = options.timeLimit.map { seconds() >= $0 * 60 } ?? false
            let isLast = step == options.steps || outOfTime
            let measures = isLast || step % options.evaluationInterval == 0
            if measures || clock.now - lastReport.time >= interval {
                last = progress(heldOutLoss: measures ? heldOutLoss() : nil)
                try metrics.append(last)
                try report(last)
                lastReport = (clock.now, tokens, 0, 0)
            }
            if isLast || step % options.checkpointInterval == 0 {
                try save(seconds: seconds())
            }
            if outOfTime { break }
        }
        return last
    }

    /// The loss on held-out windows spread over the held-out episodes, without dropout.
    public func heldOutLoss() -> Double? {
        let count = min(heldOut.count, Trainer.heldOutLimit)
        guard count > 0 else { return nil }
        var batch = TokenBatch(
            rows: count, length: heldOut.length, goalDimension: heldOut.goalColumns.count)
        for row in 0..<count {
            heldOut.fill(
                &batch, row: row, window: row * heldOut.count / count, goalSeed: UInt64(row))
        }
        return stepper.loss(batch)
    }

    private func save(seconds: Double) throws {
        var notes = ["seconds": String(format: "%.1f", seconds)]
        notes["seed"] = "\(options.seed)"
        notes["batch_size"] = "\(options.batchSize)"
        let checkpoint = Checkpoint(
            model: model, discretizer: dataset.discretizer, tokenization: dataset.settings,
            environment: environment, observationDimensions: observationDimensions, step: step,
            tokens: tokens, notes: notes)
        try checkpoint.write(to: directory, optimizer: stepper.optimizerState())
    }

    private static func check(
        _ present: Checkpoint.Description, _ configuration: TransformerConfiguration,
        _ dataset: TokenizedDataset, _ discretizer: Discretizer, _ directory: URL
    ) throws(CheckpointError) {
        guard present.model == configuration else {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail: "the run in it is of another model configuration; resume with the same one")
        }
        guard discretizer == dataset.discretizer else {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail: "the run in it was trained on other data; resume with the same dataset")
        }
        guard present.optimizer != nil else {
            throw CheckpointError(
                code: .mismatch, file: directory.path,
                detail: "the optimizer's state was not kept, so the run cannot go on")
        }
    }
}

/// Training went wrong beyond repair.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
    /// The step at which it did.
    public let step: Int
    /// The loss of that step.
    public let loss: Double

    /// One line: what, where, what to do.
    public var description: String {
        "the loss became \(loss) at step \(step); try a smaller --learning-rate"
    }
}
