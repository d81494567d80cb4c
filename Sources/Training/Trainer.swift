import Bounds
import Files
public import Processes
import Safetensors
public import Tokenization
import Trajectories
public import Transformer

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Trains a model on the windows of a dataset and keeps a run folder that can be resumed.
///
///     let trainer = try Trainer(
///         configuration, dataset: dataset, options: TrainingOptions(), directory: folder,
///         engine: .cpu)
///     try trainer.run { print("step \($0.step): loss \($0.loss)") }
///
/// The folder holds the checkpoint (weights, discretizer, optimizer), `settings.json`,
/// `metrics.csv`, and where that is asked for in `best` the checkpoint of the smallest held-out
/// loss. It is locked while a trainer uses it. A run that is stopped and resumed with the
/// same number of workers makes the same steps as one that is not.
public final class Trainer {
    /// The model: as at the last checkpoint, or as it began.
    public internal(set) var model: TrajectoryTransformer
    /// How it is trained.
    public let options: TrainingOptions
    /// The run folder.
    public let directory: URL
    /// What a person should know of a resumed run: that its newest checkpoint was damaged, that the
    /// schedule changes, that nothing is left to do; after a run, that it stopped early.
    public internal(set) var notes: [String] = []

    /// How data become tokens, complete: the termination penalty was decided.
    public var tokenization: TokenizedDataset.Settings { dataset.settings }

    let dataset: TokenizedDataset
    /// Who trains together: each of them computes a share of every batch, the first one writes.
    let group: any ProcessGroup
    let training: TokenWindows
    let measure: HeldOutMeasure
    let environment: String?
    let observationDimensions: Int?
    let learner: any TrainingEngine
    var sampler: WindowSampler
    /// Steps done so far.
    public internal(set) var step = 0
    var tokens = 0
    var earlierSeconds = 0.0
    /// The losses since the last report before the run was stopped.
    var earlierLosses: RunningLosses?
    /// Whether the folder's newest checkpoint is damaged, and the run goes on from the one before.
    var goesBack = false
    var lock: FolderLock?

    /// Prepares a run in `directory`; an existing run there goes on if `resume` is set.
    ///
    /// `environment` and `observationDimensions` are kept in the checkpoint
    /// (`Checkpoint.Description`); `engine` computes. In a group of several processes, all of which
    /// prepare the same run, each computes a share of every batch, and the parameters are those of
    /// one process up to the order of sums; the first process alone locks and writes the folder.
    ///
    /// - Throws: ``TrainingError`` when the options cannot be, model and data do not fit, there is
    ///   a run in the folder and `resume` is not set, or the run there is another;
    ///   `CheckpointError`, `SafetensorsError` or `EngineError` when that run cannot be read or
    ///   computed; `FileError` when another process uses the folder; `ProcessGroupError` when the
    ///   others of the group cannot be reached.
    public init(
        _ configuration: TransformerConfiguration, dataset: TokenizedDataset,
        options: TrainingOptions, directory: URL, environment: String? = nil,
        observationDimensions: Int? = nil, resume: Bool = false, engine: some Engine,
        group: any ProcessGroup = SingleProcess()
    ) throws {
        self.options = options
        self.group = group
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
        need.add(max(options.batchSize, HeldOutMeasure.windowsPerPass), dataset.windows.length, 3)
        try need.require()
        guard configuration.goalDimension == dataset.windows.goalDimension else {
            throw TrainingError(
                .goalMismatch, in: folder,
                "a model of \(configuration.goalDimension) goal tokens cannot be trained on "
                    + "goals of \(dataset.windows.goalDimension) columns; make "
                    + "goalDimension the number of tokens in front (prefixCount)")
        }
        let heldOut: TokenWindows
        (training, heldOut) = dataset.windows.split(
            heldOutFraction: options.heldOutFraction, seed: options.seed)
        measure = HeldOutMeasure(heldOut, configuration, group)
        guard training.count > 0 else {
            throw TrainingError(
                .noWindows, in: folder,
                "the dataset has no episode of two transitions or more to train on")
        }
        try Trainer.requireRun(resume, in: directory)
        if group.isFirst { lock = try FolderLock(directory) }
        // Another may have begun or ended one before the lock.
        try Trainer.requireRun(resume, in: directory)
        var optimizer: SafetensorsFile?
        if resume {
            // First, as it names the setting that differs; other bins may come of it.
            try RunRecord.check(options, dataset.settings, in: directory)
            let (checkpoint, moments) = try Checkpoint.newest(in: directory) {
                let file = try Checkpoint.optimizer($0, in: directory)
                try file.map(EngineState.check)
                return file
            }
            let present = checkpoint.description
            try Trainer.check(checkpoint, configuration, dataset, directory)
            model = checkpoint.model
            step = present.step
            tokens = present.tokens
            earlierSeconds = present.seconds ?? 0
            earlierLosses = present.losses
            optimizer = moments
            goesBack = checkpoint.passedOver != nil
            notes = [checkpoint.passedOver].compactMap(\.self)
            notes += Trainer.notes(of: options, at: step, in: directory, group)
        } else {
            model = try Trainer.initialModel(
                configuration, options, dataset, directory)
        }
        learner = try engine.training(
            model, options: options.engineOptions(windowLength: training.length))
        if let optimizer {
            try learner.restore(EngineState(of: model, moments: optimizer, updates: step))
        }
        let best =
            options.bestShare > 0
            ? training.best(options.bestFraction ?? 0.1, returns: dataset.episodeReturns) : nil
        sampler = WindowSampler(
            training, best: best, bestShare: options.bestShare,
            openingShare: options.openingShare, openingLength: options.openingLength,
            order: options.windowOrder, seed: options.seed)
        // The first may not write before all have read.
        if !group.isAlone { try requireSameRun() }
    }

    /// How many workers computed the run in `directory` so far; nil where that is not recorded.
    ///
    /// With another number sums are rounded otherwise, and the run is another.
    public static func recordedWorkers(in directory: URL) -> Int? {
        RunRecord.number("training.workers", in: directory)
    }

    /// How many processes computed the run in `directory` so far.
    public static func recordedProcesses(in directory: URL) -> Int {
        RunRecord.number("group.processes", in: directory) ?? 1
    }

    /// The options with which the run in `directory` was begun or last resumed; nil where they are
    /// not recorded.
    ///
    /// What an older version did not record is what that version did. The time limit, which was for
    /// that part of the run alone, is left out.
    public static func recordedOptions(in directory: URL) -> TrainingOptions? {
        RunRecord.options(in: directory)
    }

    /// The bins of the run in `directory` where they are another's, with whose weights it began; nil
    /// where they are those of its data.
    package static func adoptedBins(in directory: URL) throws -> Discretizer? {
        guard recordedOptions(in: directory)?.initialCheckpoint != nil else { return nil }
        return try Checkpoint(at: directory).discretizer
    }

    /// Refuses to begin a run where there is one, and to resume one where there is none.
    private static func requireRun(_ resume: Bool, in directory: URL) throws(TrainingError) {
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
    }

    /// The model that a run begins with: fresh, or the weights of a checkpoint.
    private static func initialModel(
        _ configuration: TransformerConfiguration, _ options: TrainingOptions,
        _ dataset: TokenizedDataset, _ directory: URL
    ) throws -> TrajectoryTransformer {
        guard let initial = options.initialCheckpoint else {
            return TrajectoryTransformer(configuration, seed: options.seed, start: options.start)
        }
        let checkpoint = try Checkpoint(at: Checkpoint.url(named: initial))
        let own = checkpoint.model.configuration
        // Weights of the loss and dropout may differ.
        var given = configuration
        given.shape = own.shape
        given.layerCount = configuration.layerCount
        given.headCount = configuration.headCount
        given.embeddingWidth = configuration.embeddingWidth
        // A model without tokens in front may be given some, which it has yet to learn.
        let learnsPrefix = own.goalDimension == 0
        if learnsPrefix { given.goalDimension = 0 }
        guard given == own else {
            throw TrainingError(
                .unusableInitial, in: directory.path,
                "the checkpoint '\(initial)' has a model "
                    + RunRecord.difference(own, given)
                    + "; begin with the same size and data of the same dimensions")
        }
        guard dataset.discretizer == checkpoint.discretizer,
            learnsPrefix || dataset.conditions == checkpoint.conditions
        else {
            throw TrainingError(
                .unusableInitial, in: directory.path,
                "the tokens were not made with the bins of the checkpoint '\(initial)'; tokenize the "
                    + "data with its bins")
        }
        let values = checkpoint.model.values
        guard configuration.goalDimension > own.goalDimension else {
            return TrajectoryTransformer(configuration, values: values)
        }
        let fresh = TrajectoryTransformer(configuration, seed: options.seed, start: options.start)
        // The embedding of what stands in front is the last of the parameters.
        return TrajectoryTransformer(
            configuration, values: values + fresh.values[values.count...])
    }

    /// What changes by resuming with these options, although it may.
    private static func notes(
        of options: TrainingOptions, at step: Int, in directory: URL, _ group: any ProcessGroup
    ) -> [String] {
        var notes: [String] = []
        let earlier = RunRecord.number("training.steps", in: directory)
        if step >= options.steps {
            notes.append(
                "the run has made \(step) steps of \(options.steps); nothing is left to do")
        } else if let earlier, earlier != options.steps, options.finalTokens == nil {
            notes.append(
                "the schedule of the learning rate now ends at step \(options.steps), no longer "
                    + "at \(earlier): the run will not be one of \(options.steps) steps from the "
                    + "start")
        }
        let workers = RunRecord.number("training.workers", in: directory)
        if let workers, let given = options.workers, workers != given {
            notes.append(
                "the run was computed by \(workers) workers so far, now by \(given): sums are "
                    + "rounded otherwise, so it will not be the run that it would have been")
        }
        let processes = recordedProcesses(in: directory)
        if processes != group.count {
            notes.append(
                "the run was computed by \(processes) \(processes == 1 ? "process" : "processes") "
                    + "so far, now by \(group.count): sums are rounded otherwise, so it will not be "
                    + "the run that it would have been")
        }
        return notes
    }

    /// Refuses a run that is not the one to be trained.
    private static func check(
        _ checkpoint: Checkpoint, _ configuration: TransformerConfiguration,
        _ dataset: TokenizedDataset, _ directory: URL
    ) throws(TrainingError) {
        let present = checkpoint.description
        let (own, given) = (present.model.layout, configuration.layout)
        guard own == given else {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it is of data of \(own.observationDimension) observation and "
                    + "\(own.actionDimension) action dimensions, not \(given.observationDimension) "
                    + "and \(given.actionDimension); resume with the same dataset")
        }
        guard present.model == configuration else {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it has a model "
                    + RunRecord.difference(present.model, configuration)
                    + "; resume with the same settings")
        }
        guard checkpoint.discretizer == dataset.discretizer,
            checkpoint.conditions == dataset.conditions
        else {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it was trained on other data; resume with the same dataset")
        }
        guard present.optimizer != nil else {
            throw TrainingError(
                .noOptimizerState, in: directory.path,
                "the optimizer's state was not kept, so the run cannot go on")
        }
    }
}
