public import Datasets
import Environments
import Evaluation
import Files
public import Foundation
import PythonFiles
public import Tokenization
public import TorchCheckpoints
import Trajectories
import Transformer

/// Makes a checkpoint of a state that PyTorch saved: the authors', or the Faster Trajectory
/// Transformer's.
///
/// The authors keep no bins in a file: they are fitted as their code does, from the dataset that the
/// model was trained on. What stands beside a state (`model_config.pkl`, `data_config.pkl`,
/// `discretizer.pt`) is read; what is given here comes before it.
public struct TorchImportJob: Sendable {
    /// What was made.
    public struct Result: Sendable, Codable {
        /// The state, and the checkpoint's folder.
        public var input, output: String
        /// Whose names and layout the state has.
        public var layout: TorchState.Layout
        /// The model's sizes.
        public var layers, heads, width, bins, contextTransitions: Int
        /// The transitions' sizes.
        public var observationDimension, actionDimension: Int
        /// Name of the environment, if it is known.
        public var environment: String?
        /// What was decided by itself, a line each.
        public var notes: [String]
    }

    /// The state.
    public var state: URL
    /// The folder of the checkpoint.
    public var output: URL
    /// The data that the model was trained on; not needed where `discretizer` and the dimensions
    /// are given.
    public var dataset: URL?
    /// The Faster Trajectory Transformer's bins; those beside the state if nil.
    public var discretizer: URL?
    /// Number of attention heads, which no state tells.
    public var headCount: Int?
    /// Number of action dimensions; the dataset's if nil.
    public var actionDimension: Int?
    /// The factor by which a reward counts less for each step it lies ahead.
    public var discount: Double?
    /// What takes the place of the last reward of terminal episodes; the authors' -100 if nil.
    public var terminationPenalty: TerminationPenalty?
    /// Where the edges of bins come from.
    public var strategy: Discretizer.Strategy?
    /// Name of the environment; the one that the data name if nil.
    public var environment: String?
    /// How the dataset is read; of a file like the authors' the last row is left out in any case,
    /// as their code does before it fits the bins.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(state: URL, output: URL) {
        self.state = state
        self.output = output
    }

    /// Reads, fits bins where there are none, and writes the folder, whole or not at all.
    ///
    /// - Parameter note: Told what was decided.
    /// - Returns: What was made.
    /// - Throws: ``JobError``, `PythonFileError`, and errors of reading the dataset.
    public func run(note: (String) -> Void = { _ in }) throws -> Result {
        try requirePlace()
        if let environment { _ = try EnvironmentRegistry.make(environment) }
        let state = try TorchState(contentsOf: state)
        let known = try AuthorsSettings(in: self.state.deletingLastPathComponent())
        if let bins = known.binCount, bins != state.binCount {
            throw JobError(
                .mismatch,
                "'\(self.state.given)' has \(state.binCount) bins, the settings beside it "
                    + "say \(bins); give a state with its own settings, or remove them")
        }
        guard let headCount = headCount ?? known.headCount else {
            throw JobError(
                .unknownHeads,
                "the number of attention heads of '\(self.state.given)' is not in it, "
                    + "and there is no model_config.pkl beside it; give the number (the authors' "
                    + "models of locomotion have 4)")
        }
        var notes: [String] = []
        func tell(_ line: String) {
            notes.append(line)
            note(line)
        }
        let data = try dataset.map { try read($0, state.layout, tell) }
        let layout = try layout(state, data, known)
        let configuration = try state.configuration(
            layout: layout, headCount: headCount, shape: known.shape)
        let model = try state.model(configuration)
        var settings = TokenizedDataset.Settings()
        settings.binCount = state.binCount
        settings.windowLength = state.contextTransitions
        settings.discount = discount ?? known.discount ?? settings.discount
        settings.terminationPenalty =
            terminationPenalty ?? known.terminationPenalty
            ?? .number(TerminationPenalty.failure)
        settings.strategy = strategy ?? known.strategy ?? settings.strategy
        let bins = try bins(state, data, &settings, tell)
        let warning = try DatasetEnvironment.check(
            environment, recorded: data?.attributes[DatasetEnvironment.attribute], layout: layout,
            keepsPart: reading.observationDimensions != nil,
            file: (dataset ?? self.state).given)
        if let warning { tell("warning: \(warning)") }
        let name =
            environment
            ?? data.flatMap { RecordedEnvironment($0.attributes, file: $0.file).name }
        let checkpoint = Checkpoint(
            model: model, discretizer: bins, tokenization: settings, environment: name,
            observationDimensions: reading.observationDimensions)
        let folder = try PendingFolder(for: output)
        try checkpoint.write(to: folder.partial)
        try folder.commit()
        return Result(
            input: self.state.given, output: output.given, layout: state.layout,
            layers: configuration.layerCount, heads: headCount, width: configuration.embeddingWidth,
            bins: configuration.binCount, contextTransitions: state.contextTransitions,
            observationDimension: layout.observationDimension,
            actionDimension: layout.actionDimension, environment: name, notes: notes)
    }

    private func requirePlace() throws {
        do {
            try PendingFolder.check(output)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
    }

    // MARK: - Data

    private struct ReadData {
        let file: String
        let trajectories: [Trajectory]
        let layout: TransitionLayout
        let attributes: [String: String]
    }

    private func read(
        _ url: URL, _ layout: TorchState.Layout, _ note: (String) -> Void
    ) throws -> ReadData {
        var options = reading
        let format = try DatasetFile(url, options: options).format
        if layout == .authors, format == .d4rl, !options.dropsLastRow {
            options.dropsLastRow = true
            note("the last row of '\(url.given)' is left out, as the authors' code does")
        }
        let data = try TrajectoryDataset(contentsOf: url, options: options)
        data.notes.forEach(note)
        return ReadData(
            file: url.given, trajectories: data.trajectories, layout: data.layout,
            attributes: data.attributes)
    }

    /// Which column of a transition is which: no state tells.
    private func layout(
        _ state: TorchState, _ data: ReadData?, _ known: AuthorsSettings
    ) throws -> TransitionLayout {
        if let data {
            if let actionDimension, actionDimension != data.layout.actionDimension {
                throw JobError(
                    .mismatch,
                    "'\(data.file)' has \(data.layout.actionDimension) action "
                        + "dimensions, \(actionDimension) were asked for")
            }
            return data.layout
        }
        guard let actions = actionDimension ?? known.actionDimension else {
            throw JobError(
                .unknownLayout,
                "which tokens of '\(self.state.given)' are actions is not in it; give the dataset "
                    + "that it was trained on, or the number of action dimensions")
        }
        let observations = state.transitionDimension - 2 - actions
        guard actions > 0, observations > 0,
            observations == known.observationDimension ?? observations
        else {
            throw JobError(
                .mismatch,
                "\(actions) action dimensions do not fit the "
                    + "\(state.transitionDimension) tokens of a transition of "
                    + "'\(self.state.given)'")
        }
        return TransitionLayout(observationDimension: observations, actionDimension: actions)
    }

    /// The bins of a file, or those that the data have.
    private func bins(
        _ state: TorchState, _ data: ReadData?, _ settings: inout TokenizedDataset.Settings,
        _ note: (String) -> Void
    ) throws -> Discretizer {
        let beside = self.state.deletingLastPathComponent().appendingPathComponent(
            "discretizer.pt")
        var place = discretizer
        if place == nil, state.layout != .authors,
            FileManager.default.fileExists(atPath: beside.path)
        {
            place = beside
            note("the bins are those of '\(beside.given)'")
        }
        if let place {
            let bins = try FasterDiscretizer.read(place)
            guard bins.dimension == state.transitionDimension, bins.binCount == state.binCount
            else {
                throw JobError(
                    .mismatch,
                    "'\(place.given)' has \(bins.binCount) bins of \(bins.dimension) dimensions, "
                        + "the state \(state.binCount) of \(state.transitionDimension)")
            }
            settings.strategy = bins.strategy
            settings = settings.decided(by: TerminalStates(of: data?.trajectories ?? []))
            return bins
        }
        guard let data else {
            throw JobError(
                .unknownBins,
                state.layout == .authors
                    ? "the authors keep no bins in a file; give the dataset that the model of "
                        + "'\(self.state.given)' was trained on"
                    : "there is no discretizer.pt beside '\(self.state.given)'; give its place, or "
                        + "the dataset that the model was trained on")
        }
        let tokenized: TokenizedDataset
        do {
            tokenized = try TokenizedDataset(data.trajectories, settings: settings)
        } catch {
            throw JobError(error, of: URL(fileURLWithPath: data.file))
        }
        settings = tokenized.settings
        note(
            "\(settings.binCount) \(settings.strategy.rawValue) bins are fitted to '\(data.file)': "
                + "discount \(settings.discount), termination penalty "
                + "\(settings.terminationPenalty)")
        return tokenized.discretizer
    }
}

extension AuthorsSettings {
    /// Loss weights and dropout; the paper's where nothing is known.
    var shape: TransformerConfiguration.Shape {
        var shape = TransformerConfiguration.Shape()
        shape.actionWeight = actionWeight ?? shape.actionWeight
        shape.rewardWeight = rewardWeight ?? shape.rewardWeight
        shape.valueWeight = valueWeight ?? shape.valueWeight
        shape.embeddingDropout = embeddingDropout ?? shape.embeddingDropout
        shape.attentionDropout = attentionDropout ?? shape.attentionDropout
        shape.residualDropout = residualDropout ?? shape.residualDropout
        return shape
    }
}
