import Bounds
public import Datasets
import Environments
import Evaluation
import Episodes
import Figures
import Files
public import Foundation
import Learning
import Live
import Planning
import Rendering
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Writes one page about a trained model: settings, learning curve, evaluations, an episode to be
/// played with what was foreseen, the use of tokens, and attention.
///
/// The page is whole: style, code and data in one file that asks nobody for anything.
public struct ReportJob: Sendable {
    /// How far the job is: steps of the episode and its return so far.
    public struct Progress: Sendable {
        /// Steps.
        public let steps: Int
        /// Return.
        public let totalReward: Double
    }

    /// What was written.
    public struct Result: Sendable, Codable {
        /// The page.
        public var output: String
        /// Its size.
        public var bytes: Int
        /// Environment, steps and return of the episode; nil without one.
        public var environment: String?
        /// Steps of the episode.
        public var steps: Int?
        /// Its return.
        public var `return`: Double?
        /// Evaluations that are shown.
        public var evaluations: Int
        /// Lines of the learning curve.
        public var curve: Int
        /// What is missing, and why.
        public var notes: [String]
    }

    /// The model, and how it plans in the episode.
    public var model: PlanningModel
    /// The page to write (html).
    public var output: URL
    /// Name of the environment; the one that the checkpoint names if nil.
    public var environment: String?
    /// What evaluations printed as JSON; those that lie in the run's folder come with them.
    public var evaluations: [URL] = []
    /// Data whose use of the tokens is shown, and in which the model looks around; the episode if
    /// nil.
    public var dataset: URL?
    /// How the data are read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Seed of the episode.
    public var seed: UInt64 = 0
    /// Ends the episode earlier than the environment's time limit.
    public var maximumSteps: Int?

    /// Windows over which attention is averaged.
    private static let windows = 32
    /// Tokens of a window beyond which attention would make most of the page.
    private static let mostAttentionNumbers = 2_000_000

    /// A job; see the properties.
    public init(_ model: PlanningModel, output: URL) {
        self.model = model
        self.output = output
    }

    private var folder: URL {
        model.checkpoint.pathExtension == "json"
            ? model.checkpoint.deletingLastPathComponent() : model.checkpoint
    }

    /// Plays the episode and writes the page.
    ///
    /// - Throws: ``JobError``, errors of loading, planning and writing.
    public func run(report: (JobEvent<Progress>) -> Void = { _ in }) throws -> Result {
        try require(.steps, ["maximumSteps": maximumSteps])
        try output.requireWritable()
        let trained = try Checkpoint(at: model.checkpoint)
        if let problem = trained.passedOver { report(.note(problem)) }
        var data = ReportData(checkpoint: folder.standardizedFileURL.lastPathComponent)
        data.describe(trained, in: folder)
        data.curve = try curve()
        if data.curve.isEmpty {
            data.notes.append("There is no learning curve: the folder has no metrics.csv.")
        }
        data.evaluations = try evaluated()
        if data.evaluations.isEmpty {
            data.notes.append(
                "There is no evaluation: none was given, and none lies in the folder.")
        }
        var trajectories: [Trajectory] = []
        if let played = try play(trained, report) {
            data.episode = played.episode
            trajectories = [played.trajectory]
        } else {
            data.notes.append(
                "There is no episode: the checkpoint does not name its environment, and none was "
                    + "given.")
        }
        var source = "the episode above"
        if let dataset {
            let read = try TrajectoryDataset(
                contentsOf: dataset, options: reading.fitting(trained))
            try trained.requireLayout(
                of: read, file: dataset.given, named: model.checkpoint.given)
            trajectories = read.trajectories
            source = dataset.lastPathComponent
        }
        data.usage = usage(of: trajectories, by: trained, source: source)
        do {
            data.attention = try attention(of: trained, in: trajectories, source: source)
        } catch let error as JobError {
            data.notes.append("There is no attention: \(error).")
        }
        let page = Page.report(
            title: data.checkpoint, data: try JSONEncoder.report.encode(data))
        try OutputFile.write(Data(page.utf8), to: output)
        return Result(
            output: output.given, bytes: page.utf8.count,
            environment: data.episode?.scene.environment, steps: data.episode?.steps.count,
            return: data.episode?.steps.last?.totalReward, evaluations: data.evaluations.count,
            curve: data.curve.count, notes: data.notes)
    }

    // MARK: - Parts

    private func curve() throws -> [ReportData.Point] {
        let file = folder.appendingPathComponent("metrics.csv")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        return try MetricsLog.read(directory: folder).map {
            .init(
                step: $0.step, tokens: $0.tokens, seconds: $0.seconds, loss: $0.loss,
                heldOutLoss: $0.heldOutLoss)
        }
    }

    /// The evaluations that were given, and what in the folder turns out to be one.
    private func evaluated() throws -> [ReportData.Evaluation] {
        let given = try evaluations.map {
            ReportData.Evaluation(try PrintedEvaluation.read($0), file: $0.lastPathComponent)
        }
        let own = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasSuffix(".json") }.sorted()
            .map { folder.appendingPathComponent($0) }
            .filter { file in
                !evaluations.contains { $0.standardizedFileURL == file.standardizedFileURL }
            }
        return given
            + own.compactMap { file in
                (try? PrintedEvaluation.read(file)).map {
                    ReportData.Evaluation($0, file: file.lastPathComponent)
                }
            }
    }

    private func play(
        _ trained: Checkpoint, _ report: (JobEvent<Progress>) -> Void
    ) throws -> (episode: ReportData.Episode, trajectory: Trajectory)? {
        guard let name = environment ?? trained.description.environment else { return nil }
        let critic = try model.critic.map { (try Critic(contentsOf: $0), $0.lastPathComponent) }
        let session = try LiveSession(
            trained, named: folder.standardizedFileURL.lastPathComponent,
            in: try EnvironmentRegistry.simulation(name), options: model.options, critic: critic,
            engine: model.engine, seed: seed)
        session.notes.forEach { report(.note($0)) }
        var steps: [LiveStep] = []
        while !session.isOver, steps.count < maximumSteps ?? .max {
            let step = try session.advance()
            steps.append(step)
            report(.progress(Progress(steps: steps.count, totalReward: step.totalReward)))
        }
        return (
            ReportData.Episode(scene: session.scene, start: session.start, steps: steps),
            session.trajectory
        )
    }

    private func usage(
        of trajectories: [Trajectory], by trained: Checkpoint, source: String
    ) -> ReportData.Usage? {
        guard trajectories.contains(where: { $0.count > 0 }) else { return nil }
        let layout = trained.model.configuration.layout
        let settings = trained.description.tokenization
        let held = trained.conditions?.columns ?? []
        let table = TransitionTable(
            held.isEmpty
                ? trajectories : trajectories.map { $0.withoutObservationColumns(held) },
            layout: layout, discount: settings.discount,
            terminationPenalty: settings.terminationPenalty.value)
        let names = DatasetReport.names(trained.dataLayout).enumerated()
            .filter { !held.contains($0.offset) }.map(\.element)
        return ReportData.Usage(
            source: source,
            dimensions: names.enumerated().map { column, name in
                let usage = TokenUsage(of: table, column: column, by: trained.discretizer)
                return .init(
                    name: name, counts: usage.counts, usedBins: usage.usedBins,
                    effectiveBins: usage.effectiveBins)
            })
    }

    private func attention(
        of trained: Checkpoint, in trajectories: [Trajectory], source: String
    ) throws -> ReportData.Attention? {
        guard !trajectories.isEmpty else { return nil }
        let configuration = trained.model.configuration
        guard !trained.takesPrefix else {
            throw JobError(
                .mismatch,
                "the model was trained to reach goals or under conditions, and a window of data has "
                    + "none")
        }
        let length = configuration.contextLength
        let numbers = configuration.layerCount * configuration.headCount * length * length
        guard numbers <= Self.mostAttentionNumbers else {
            throw JobError(
                .mismatch, "\(numbers) numbers of attention are too many for a page")
        }
        var job = AttentionJob(checkpoint: folder, dataset: folder, output: output)
        job.windows = Self.windows
        let windows = try job.chooseWindows(
            trajectories, length: length, discretizer: trained.discretizer,
            settings: trained.description.tokenization, named: source)
        let pattern = try AttentionPattern(trained.model, windows: windows)
        let heads = zip(pattern.weights, pattern.shares).enumerated().flatMap { layer, pair in
            zip(pair.0, pair.1).enumerated().map { head, map in
                ReportData.Attention.Head(
                    name: PlotGrid.headName(layer: layer, head: head),
                    weights: PackedNumbers(map.0.joined().lazy.map(Double.init)),
                    recent: map.1.recent, pastActions: map.1.pastActions,
                    sameDimension: map.1.sameDimension)
            }
        }
        return ReportData.Attention(
            source: source, tokens: length,
            transition: configuration.layout.transitionDimension, heads: heads)
    }
}

extension JSONEncoder {
    /// The data of a page.
    fileprivate static var report: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }
}
