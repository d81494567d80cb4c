import Bounds
public import Datasets
import Environments
import Evaluation
public import Foundation
public import Processes
import TensorBoard
import Tokenization
public import Training
public import Transformer
import TransformerCPU

/// Trains a model on a dataset and keeps its run folder.
///
/// ```swift
/// var job = TrainingJob(dataset: data, output: folder)
/// job.settings.training.steps = 5000
/// let end = try job.run { event in
///     if case .progress(let state) = event { print(state.step, state.loss) }
/// }
/// ```
public struct TrainingJob: Sendable {
    /// A D4RL-format HDF5 file, a Minari folder, or a token file, which is mapped into memory.
    public var dataset: URL
    /// The run folder.
    public var output: URL
    /// All settings.
    public var settings = TrainingSettings()
    /// Names of settings that must not give way to a token file's, such as `tokenization.binCount`,
    /// also where they have their default.
    public var settledSettings: Set<String> = []
    /// About how many minutes to train; nil for the steps of the settings.
    ///
    /// Steps, rate and size of the model follow from it, the data and the engine's speed, where
    /// they are not among ``settledSettings``. A resumed run goes on as it began.
    public var minutes: Double?
    /// The recipe by which rate and length follow; a published one's length is the run's where
    /// neither ``minutes`` nor `training.steps` among ``settledSettings`` says another.
    public var recipe = Recipe.quick
    /// How the dataset is read; a token file knows how it was.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Name of the environment of the data, kept in the checkpoint; the one that the data name if
    /// nil.
    public var environment: String?
    /// Whether to go on with the run in the folder.
    public var resumes = false
    /// What computes the model; the processor, with the settings' workers, if nil.
    ///
    /// Without a number in the settings, a resumed run has as many workers as before, another one for
    /// each core; the number is kept with the run.
    public var engine: (any Engine)?
    /// A folder that also gets the learning curve as TensorBoard's events, if any.
    public var tensorBoard: URL?
    /// How precisely the processor computes products; an `engine` has its own.
    public var precision = Precision.exact
    /// Who trains together; all of them run the same job, each computes a share of every batch, and
    /// the first one writes and reports.
    public var group: any ProcessGroup = SingleProcess()
    /// Whether to save and stop.
    public var isStopped: StopQuestion = { false }

    /// A job with the published settings.
    public init(dataset: URL, output: URL) {
        self.dataset = dataset
        self.output = output
    }

    /// Takes over how a run is to be trained.
    public mutating func choose(_ choice: TrainingChoice) {
        settings = choice.settings
        settledSettings = choice.settled
        recipe = choice.recipe
        minutes = choice.minutes
    }

    /// Trains to the end or the time limit.
    ///
    /// - Parameter report: Told of the data, and about every two seconds how far training is.
    /// - Returns: Where the run ended.
    /// - Throws: ``JobError``, also where the run was stopped; what reading and `Trainer` throw.
    @discardableResult
    public func run(
        report: (JobEvent<TrainingProgress>) -> Void = { _ in }
    ) throws -> TrainingProgress {
        if group.isFirst {
            try output.requireWritableFolder()
            try tensorBoard?.requireWritableFolder()
        }
        // Before the data are read, and before anything is made as large as they say.
        if let problem = settings.problem {
            throw JobError(.invalidSetting, "unusable options: \(problem)")
        }
        var settings = settings
        if resumes, settings.tokenization.terminationPenalty == .automatic,
            let kept = try? Checkpoint.description(in: output).tokenization
        {
            // What the run has decided once holds.
            settings.tokenization.terminationPenalty = kept.terminationPenalty
        }
        settings.placeInitial()
        var settled = settledSettings
        let bins = try settings.adoptBins(resuming: resumes, in: output, settling: &settled)
        // Before a file is read that may be large.
        if let environment { _ = try EnvironmentRegistry.make(environment) }
        let data = try TrainingData(
            dataset, settings: settings.tokenization, settled: settled, bins: bins,
            reading: reading
        ) { report(.note($0)) }
        settings.tokenization = data.tokenized.settings
        let store = data.tokenized.windows.store
        if !resumes, !settled.contains("training.windowOrder"), store.isMapped,
            Double(store.byteCount) > MemoryNeed.present / 2
        {
            settings.training.windowOrder = .blocks
            report(
                .note(
                    "the tokens are more than half of the memory: windows come in blocks, which are "
                        + "read in one go"))
        }
        let warning = try DatasetEnvironment.check(
            environment, recorded: data.environment, layout: data.tokenized.dataLayout,
            keepsPart: data.observationDimensions != nil, file: dataset.given)
        if let warning { report(.note("warning: \(warning)")) }
        let engine = try engine ?? processor(&settings.training)
        noteDivision(engine, report)
        if let minutes, !resumes {
            guard minutes > 0, minutes.isFinite else {
                throw JobError(.invalidSetting, "minutes must be positive, found \(minutes)")
            }
            let plan = try TrainingPlan(
                settings, minutes: minutes, recipe: recipe, settled: settled,
                data: data.tokenized, engine: engine, group: group)
            settings = plan.settings
            report(.note(plan.note))
        } else if !resumes, !settled.contains("training.steps") {
            let windows = data.tokenized.windows
            settings.takeLength(of: recipe, windows: windows.count, length: windows.length)
                .map { report(.note($0)) }
        }
        let trainer = try Trainer(
            settings.configuration(layout: store.layout), dataset: data.tokenized,
            options: settings.training, directory: output,
            environment: environment ?? data.environment,
            observationDimensions: data.observationDimensions, resume: resumes,
            engine: engine, group: group)
        report(
            .note(
                "\(store.rowCount) transitions in \(store.episodeCount) episodes; "
                    + "\(trainer.model.parameterCount) parameters"))
        let notes = trainer.notes
        notes.forEach { report(.note($0)) }
        let events = try (group.isFirst ? tensorBoard : nil).map {
            try EventFile(in: $0, after: trainer.step)
        }
        var wasStopped = false
        let end = try trainer.run(
            until: {
                wasStopped = isStopped()
                return wasStopped
            },
            report: {
                try events?.add($0)
                report(.progress($0))
            })
        trainer.notes.dropFirst(notes.count).forEach { report(.note($0)) }
        guard !wasStopped else {
            throw JobError(
                .paused,
                "stopped after step \(end.step) of \(end.steps), which is saved in "
                    + "'\(output.given)'; resume the run to go on")
        }
        return end
    }

    private func processor(_ options: inout TrainingOptions) throws -> any Engine {
        if resumes, options.workers == nil, group.count == Trainer.recordedProcesses(in: output) {
            options.workers = Trainer.recordedWorkers(in: output)
        }
        if !group.isAlone, options.workers == nil {
            // Norms are summed by as many workers everywhere, so that their bits are the same.
            options.workers = try group.exchange(UInt64(Cores.available), isPatient: true)
                .min().map { Int($0) }
        }
        let engine = try CPUEngine(workers: options.workers, precision: precision)
        options.workers = engine.workers
        return engine
    }

    /// Says how the work is divided, where it is.
    private func noteDivision(
        _ engine: any Engine, _ report: (JobEvent<TrainingProgress>) -> Void
    ) {
        if group.isAlone { return }
        let machines = Set(group.hosts).count
        report(
            .note(
                "\(group.count) processes on \(machines) \(machines == 1 ? "machine" : "machines"), "
                    + "each with a share of every batch: \(engine.name)"))
        if group.count > settings.training.batchSize {
            report(
                .note(
                    "warning: a batch has \(settings.training.batchSize) windows, so some of the "
                        + "\(group.count) processes have nothing to do"))
        }
    }
}
