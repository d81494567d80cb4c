import Bounds
public import Foundation
import Safetensors
public import Tokenization
import Trajectories
public import Transformer

/// Trains a model on the windows of a dataset and keeps a run folder that can be resumed.
///
///     let trainer = try Trainer(
///         configuration, dataset: dataset, options: TrainingOptions(), directory: folder,
///         engine: .cpu)
///     try trainer.run { print("step \($0.step): loss \($0.loss)") }
///
/// The folder holds the checkpoint (weights, discretizer, optimizer), `settings.json` and
/// `metrics.csv`. A run that is stopped and resumed makes the same steps as one that is not.
public final class Trainer {
    /// The model: as at the last checkpoint, or as it began.
    public private(set) var model: TrajectoryTransformer
    /// How it is trained.
    public let options: TrainingOptions
    /// The run folder.
    public let directory: URL

    private let dataset: TokenizedDataset
    private let training: TokenWindows
    private let heldOut: TokenWindows
    private let environment: String?
    private let observationDimensions: Int?
    private let learner: any TrainingEngine
    private var sampler: WindowSampler
    private var step = 0
    private var tokens = 0
    private var earlierSeconds = 0.0

    /// Windows of the held-out measurement, at most.
    private static let heldOutLimit = 256

    /// Prepares a run in `directory`; an existing run there goes on if `resume` is set.
    ///
    /// `environment` and `observationDimensions` are kept in the checkpoint
    /// (``Checkpoint/Description``); `engine` computes.
    ///
    /// - Throws: ``TrainingError`` when the options cannot be, model and data do not fit, there is
    ///   a run in the folder and `resume` is not set, or the run there is another;
    ///   ``CheckpointError``, `SafetensorsError` or ``EngineError`` when that run cannot be read or
    ///   computed.
    public init(
        _ configuration: TransformerConfiguration, dataset: TokenizedDataset,
        options: TrainingOptions, directory: URL, environment: String? = nil,
        observationDimensions: Int? = nil, resume: Bool = false, engine: some Engine
    ) throws {
        self.options = options
        self.dataset = dataset
        self.directory = directory
        self.environment = environment
        self.observationDimensions = observationDimensions
        let folder = directory.path
        if let problem = options.problem ?? configuration.problem {
            throw TrainingError(.unusableOptions, in: folder, "unusable options: \(problem)")
        }
        var need = engine.trainingMemory(
            configuration, options: options.engineOptions(windowLength: dataset.windows.length))
        // Batches, and the one that measures.
        need.add(max(options.batchSize, Trainer.heldOutLimit), dataset.windows.length, 3)
        try need.require()
        guard configuration.goalDimension == dataset.windows.goalColumns.count else {
            throw TrainingError(
                .goalMismatch, in: folder,
                "a model of \(configuration.goalDimension) goal tokens cannot be trained on "
                    + "goals of \(dataset.windows.goalColumns.count) columns; make "
                    + "goalDimension the number of goalColumns")
        }
        (training, heldOut) = dataset.windows.split(
            heldOutFraction: options.heldOutFraction, seed: options.seed)
        guard training.count > 0 else {
            throw TrainingError(
                .noWindows, in: folder,
                "the dataset has no episode of two transitions or more to train on")
        }
        let present = try Trainer.present(in: directory, resume: resume)
        var optimizer: SafetensorsFile?
        if let present {
            // First, as it names the setting that differs; other bins may come of it.
            try RunRecord.check(options, dataset.settings, in: directory)
            let checkpoint = try Checkpoint(directory: directory)
            let optimizerFile = try Trainer.check(
                present, configuration, dataset, checkpoint.discretizer, directory)
            model = checkpoint.model
            step = present.step
            tokens = present.tokens
            earlierSeconds = present.seconds ?? 0
            optimizer = try SafetensorsFile(contentsOf: optimizerFile)
        } else {
            model = TrajectoryTransformer(configuration, seed: options.seed)
        }
        learner = try engine.training(
            model, options: options.engineOptions(windowLength: training.length))
        if let optimizer {
            try learner.restore(EngineState(of: model, moments: optimizer, updates: step))
        }
        sampler = WindowSampler(windowCount: training.count, seed: options.seed)
    }

    /// Trains to the end or the time limit, reporting about every `interval` seconds.
    ///
    /// - Returns: Where the run ended.
    /// - Throws: ``TrainingError`` when the loss is no number any more, ``EngineError``, errors of
    ///   writing, and whatever `report` throws; the last checkpoint stays whole.
    @discardableResult
    public func run(
        reportEvery interval: Duration = .seconds(2), report: (TrainingProgress) throws -> Void
    ) throws -> TrainingProgress {
        let schedule = options.schedule(tokensPerStep: options.batchSize * training.length)
        let end = dataset.discretizer.terminationToken
        let clock = ContinuousClock()
        let started = clock.now
        var lastReport = (time: clock.now, tokens: tokens, losses: 0.0, steps: 0)
        var latest = StepSummary()
        var rate = schedule.rate(afterTokens: tokens)
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
                    ? lastReport.losses / Double(lastReport.steps) : latest.lastLoss,
                heldOutLoss: heldOutLoss, learningRate: rate,
                gradientNorm: latest.lastGradientNorm,
                tokensPerSecond: Double(tokens - lastReport.tokens) / max(elapsed, 1e-9))
        }
        /// Waits for the steps so far, and refuses to go on from a loss that is no number.
        func settle() throws {
            let summary = try learner.summary()
            guard summary.steps > 0 else { return }
            guard summary.lossSum.isFinite, summary.lastLoss.isFinite else {
                let loss = summary.lastLoss.isFinite ? summary.lossSum : summary.lastLoss
                let before = summary.finiteSteps.map { step - summary.steps + $0 }
                throw TrainingError(
                    .diverged, in: directory.path,
                    "the loss became \(loss) "
                        + (before.map { "at step \($0)" } ?? "by step \(step)")
                        + "; try a smaller learning rate")
            }
            lastReport.losses += summary.lossSum
            lastReport.steps += summary.steps
            latest = summary
        }

        var last = progress(heldOutLoss: nil)
        while step < options.steps {
            sampler.fill(&batch, from: training, step: step)
            rate = schedule.rate(afterTokens: tokens)
            // Distinct for each step, and the same again when the run is resumed.
            let stream = options.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(step)
            try learner.step(batch, rate: rate, dropoutStream: stream)
            step += 1
            tokens += batch.targets.count { $0 != Int32(end) }

            let outOfTime = options.timeLimit.map { seconds() >= $0 * 60 } ?? false
            let isLast = step == options.steps || outOfTime
            let measures = isLast || step % options.evaluationInterval == 0
            if measures || clock.now - lastReport.time >= interval {
                try settle()
                last = progress(heldOutLoss: measures ? try heldOutLoss() : nil)
                try metrics.append(last)
                try report(last)
                lastReport = (clock.now, tokens, 0, 0)
            }
            if isLast || step % options.checkpointInterval == 0 {
                try settle()
                try save(seconds: seconds())
            }
            if outOfTime { break }
        }
        return last
    }

    /// The loss on held-out windows spread over the held-out episodes, without dropout.
    ///
    /// - Throws: ``EngineError`` when the device fails.
    public func heldOutLoss() throws(EngineError) -> Double? {
        let count = min(heldOut.count, Trainer.heldOutLimit)
        guard count > 0 else { return nil }
        var batch = TokenBatch(
            rows: count, length: heldOut.length, goalDimension: heldOut.goalColumns.count)
        for row in 0..<count {
            heldOut.fill(
                &batch, row: row, window: row * heldOut.count / count, goalSeed: UInt64(row))
        }
        return try learner.loss(batch)
    }

    private func save(seconds: Double) throws {
        let state = try learner.state()
        model = TrajectoryTransformer(model.configuration, values: state.parameters)
        let checkpoint = Checkpoint(
            model: model, discretizer: dataset.discretizer, tokenization: dataset.settings,
            environment: environment, observationDimensions: observationDimensions, step: step,
            tokens: tokens, seconds: (10 * seconds).rounded() / 10, seed: options.seed)
        try checkpoint.write(to: directory, optimizer: state.moments)
    }

    /// The description of the run in the folder, if there is one and it is to go on.
    private static func present(
        in directory: URL, resume: Bool
    ) throws -> Checkpoint.Description? {
        let isPresent = Checkpoint.exists(in: directory)
        if isPresent && !resume {
            throw TrainingError(
                .runExists, in: directory.path,
                "there is a run in it already; resume that or choose another folder")
        }
        if resume && !isPresent {
            throw TrainingError(
                .noRun, in: directory.path,
                "there is no run in it to resume; begin one, or choose the folder of one")
        }
        return isPresent ? try Checkpoint.description(in: directory) : nil
    }

    /// Refuses a run that is not the one to be trained; returns where its optimizer's state is.
    private static func check(
        _ present: Checkpoint.Description, _ configuration: TransformerConfiguration,
        _ dataset: TokenizedDataset, _ discretizer: Discretizer, _ directory: URL
    ) throws(TrainingError) -> URL {
        guard present.model == configuration else {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it is of another model configuration; resume with the same one")
        }
        guard discretizer == dataset.discretizer else {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it was trained on other data; resume with the same dataset")
        }
        guard let optimizer = present.optimizer else {
            throw TrainingError(
                .noOptimizerState, in: directory.path,
                "the optimizer's state was not kept, so the run cannot go on")
        }
        return directory.appendingPathComponent(optimizer)
    }
}
