import FoundationEssentials
import TensorBoard
import Tokenization
import Training
import Transformer

/// A run that was prepared.
final class TrainerBox: @unchecked Sendable {
    /// Used by one thread at a time: the one that the Python package runs it on.
    let trainer: Trainer
    /// What a person should know, a line each.
    var notes: [String]
    /// Where TensorBoard's events go, if anywhere.
    let tensorBoard: URL?

    init(
        _ request: TrainingRequest, dataset: DatasetBox, folder: String, engine: EngineBox
    ) throws {
        let url = URL(fileURLWithPath: folder)
        let run = request.resume ? TrainingSettings(ofRunIn: url) : nil
        var chosen = try request.chosen(ofRun: run)
        var notes: [String] = []
        if let initial = request.initial {
            chosen.settings.training.initialCheckpoint =
                try checkpoint(named: initial, shipped: request.shipped).path
        }
        let bins = try chosen.settings.adoptBins(
            resuming: request.resume, in: url, settling: &chosen.settled)
        if request.resume, chosen.settings.tokenization.terminationPenalty == .automatic,
            let kept = try? Checkpoint.description(in: url).tokenization
        {
            // What the run has decided once holds.
            chosen.settings.tokenization.terminationPenalty = kept.terminationPenalty
        }
        let states = TerminalStates(of: dataset.trajectories)
        if chosen.settings.tokenization.terminationPenalty == .automatic {
            notes += [states.explanation].compactMap(\.self)
        }
        let data = try TokenizedDataset(
            dataset.trajectories, settings: chosen.settings.tokenization.decided(by: states),
            bins: bins)
        let held = data.settings.conditionColumns ?? []
        notes += [bins?.remark(on: dataset.trajectories, besides: held)].compactMap(\.self)
        guard data.windows.count > 0 else {
            throw Failure(
                .data,
                "no episode has two transitions or more, so there is nothing to train on")
        }
        chosen.settings.tokenization = data.settings
        chosen.settings.training.workers = engine.workers
        if let minutes = chosen.minutes {
            let plan = try TrainingPlan(
                chosen.settings, minutes: minutes, recipe: chosen.recipe,
                settled: chosen.settled, data: data, engine: engine.engine)
            chosen.settings = plan.settings
            notes.append(plan.note)
        } else if !request.resume, request.steps == nil {
            notes += [
                chosen.settings.takeLength(
                    of: chosen.recipe, windows: data.windows.count, length: data.windows.length)
            ].compactMap(\.self)
        }
        trainer = try Trainer(
            chosen.settings.configuration(layout: data.windows.layout), dataset: data,
            options: chosen.settings.training, directory: url, environment: request.environment,
            resume: request.resume, engine: engine.engine)
        tensorBoard = request.tensorboard.map { URL(fileURLWithPath: $0) }
        self.notes = notes + trainer.notes
    }
}

/// What the Python package knows of a run.
private struct TrainerAnswer: Encodable {
    let options: TrainingOptions
    let shape: TransformerConfiguration.Shape
    let tokenization: TokenizedDataset.Settings
    let parameterCount: Int
    let notes: [String]
}

/// Where a run ended.
private struct EndAnswer: Encodable {
    let progress: TrainingProgress
    let notes: [String]
    let stopped: Bool
}

/// Prepares a run on a dataset in a folder.
@c(trajectory_trainer_new)
public func makeTrainer(
    _ dataset: Handle, _ engine: Handle, _ request: UnsafePointer<CChar>,
    _ folder: UnsafePointer<CChar>, _ trainer: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let box = try TrainerBox(
            decode(request, as: TrainingRequest.self), dataset: object(dataset),
            folder: String(cString: folder), engine: object(engine))
        trainer.pointee = handle(box)
        let (run, configuration) = (box.trainer, box.trainer.model.configuration)
        return TrainerAnswer(
            options: run.options, shape: configuration.shape,
            tokenization: run.tokenization,
            parameterCount: run.model.parameterCount, notes: box.notes)
    }
}

/// Trains to the end, or until the stop is requested; then the run is saved and can go on.
///
/// `report` is called on this thread about every `interval` seconds (after every step for 0) with
/// progress as JSON, which is its own for the time of the call.
@c(trajectory_trainer_run)
public func runTrainer(
    _ trainer: Handle, _ stop: Handle, _ interval: Double,
    _ report: @convention(c) (UnsafePointer<CChar>) -> Void, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let box: TrainerBox = object(trainer)
        let stop: Stop = object(stop)
        let notes = box.trainer.notes.count
        let events = try box.tensorBoard.map { try EventFile(in: $0, after: box.trainer.step) }
        var wasStopped = false
        let end = try box.trainer.run(
            reportEvery: .seconds(interval),
            until: {
                wasStopped = stop.isRequested
                return wasStopped
            },
            report: { progress in
                try events?.add(progress)
                let json = cText(try JSONEncoder().encode(progress))
                defer { json.deallocate() }
                report(json)
            })
        return EndAnswer(
            progress: end, notes: Array(box.trainer.notes.dropFirst(notes)), stopped: wasStopped)
    }
}
