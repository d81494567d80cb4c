import Bounds
public import Datasets
import Environments
import Episodes
import Evaluation
import Figures
public import Foundation
import Learning
import Planning
import Rendering
import Trajectories
public import Transformer
import TransformerCPU

/// Predicts held-out episodes from their beginning, and measures the error.
///
/// Compared are the transformer, the same transformer when it sees one transition only (Markovian),
/// an ensemble of single-step models, and predicting no change (Janner et al. 2021, section 4.1).
public struct PredictionJob: Sendable {
    /// What was measured.
    public struct Result: Sendable, Codable {
        /// Who predicted, and how well.
        public struct Method: Sendable, Codable {
            /// Such as `transformer`.
            public var name: String
            /// The error after 1, 2, … steps, in standard deviations.
            public var byStep: [Double]
            /// Their mean.
            public var mean: Double
        }
        /// The episode that was drawn.
        public struct Video: Sendable, Codable {
            /// The file, and the environment.
            public var output, environment: String
            /// The episode's number in the dataset, and frames that were drawn.
            public var episode, frames: Int
        }
        /// Steps that were predicted, of how many episodes, how often each.
        public var horizon, episodes, samples: Int
        /// All methods.
        public var methods: [Method]
        /// The drawing, if one was asked for.
        public var video: Video?
        /// Wall-clock time.
        public var seconds: Double
    }

    /// The folder of the trained model.
    public var checkpoint: URL
    /// The held-out data.
    public var dataset: URL
    /// The file of an ensemble of single-step models.
    public var dynamics: URL?
    /// Steps to predict.
    public var horizon = 100
    /// Transitions that are known before the first predicted one.
    public var context = 1
    /// Episodes to predict: the last of the data that are long enough.
    public var episodes = 16
    /// Predictions of each episode, of which the mean counts.
    public var samples = 5
    /// Only the likeliest tokens are drawn; all if nil.
    public var topK: Int?
    /// Fixes what is drawn.
    public var seed: UInt64 = 0
    /// Whether the transformer also predicts with actions of its own.
    public var samplesActions = false
    /// A picture of the errors (png or svg).
    public var plot: URL?
    /// A drawing of an episode as it was and as it was predicted (mp4, gif or png).
    public var video: URL?
    /// The episode that is drawn, from 0 among those predicted.
    public var videoEpisode = 0
    /// Name of the environment that is drawn; that of dataset or checkpoint if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// What computes the model.
    public var engine: any Engine = CPUEngine.cpu

    private static let noChange = "no change"

    /// A job; see the properties.
    public init(checkpoint: URL, dataset: URL) {
        self.checkpoint = checkpoint
        self.dataset = dataset
    }

    /// Predicts, measures and draws.
    ///
    /// - Throws: ``JobError``, `FigureError`, errors of reading and drawing.
    public func run(report: (JobEvent<Share>) -> Void = { _ in }) throws -> Result {
        try require(.horizon, ["horizon": horizon, "context": context])
        try require(.episodes, ["episodes": episodes, "samples": samples])
        try require(.beam, ["topK": topK])
        try require(Bound.episodes.orNone, ["videoEpisode": videoEpisode])
        let start = ContinuousClock.now
        // Known before the work as well as after it.
        for file in [plot, video].compactMap(\.self) { try file.requireWritable() }
        if let video { try VideoWriter.requireProgram(for: video) }
        let trained = try Checkpoint(at: checkpoint)
        let data = try TrajectoryDataset(
            contentsOf: dataset, options: reading.fitting(trained))
        data.notes.forEach { report(.note($0)) }
        try trained.requireLayout(of: data, file: dataset.given, named: checkpoint.given)
        let cases = try heldOutEpisodes(of: data)
        let simulation = try video.map { _ in try makeSimulation(of: data, trained, cases) }
        let deviations = DatasetSummary(data).observations.map(\.standardDeviation)

        var methods: [Result.Method] = []
        var drawn: [(name: String, observations: [[Double]])] = []
        func add(_ name: String, _ samples: [[[[Double]]]], drawnAs drawing: String? = nil) {
            let error = PredictionError(
                of: samples.map(PredictionError.mean(of:)), truth: cases.map(\.truth),
                deviations: deviations)
            methods.append(.init(name: name, byStep: error.byStep, mean: error.mean))
            // A sample, since the mean of several moves like none of them.
            if let drawing { drawn.append((drawing, samples[videoEpisode][0])) }
        }
        func transformer(_ name: String, _ transitions: Int, ownActions: Bool = false) throws
            -> [[[[Double]]]]
        {
            try predictions(of: cases, by: trained, transitions, ownActions: ownActions) {
                report(.progress(Share(name, $0, of: horizon)))
            }
        }
        let configuration = trained.model.configuration
        let full = configuration.contextLength / configuration.layout.transitionDimension + 1
        add("transformer", try transformer("transformer", full), drawnAs: "transformer")
        add("Markovian transformer", try transformer("Markovian transformer", 2))
        if samplesActions {
            add(
                "transformer, own actions",
                try transformer("own actions", full, ownActions: true))
        }
        if let ensemble = try ensemble(for: data.layout) {
            let beginnings = cases.map {
                DynamicsEnsemble.Beginning(observation: $0.present, actions: $0.actions)
            }
            add(
                "ensemble of single-step models",
                ensemble.predict(beginnings, samples: samples, seed: seed), drawnAs: "ensemble")
        }
        add(Self.noChange, cases.map { [Array(repeating: $0.present, count: horizon)] })

        if let plot {
            try Plot.predictionErrors(
                methods.map { ($0.name, $0.byStep) }, baseline: Self.noChange
            ).write(to: plot)
        }
        let film = try simulation.flatMap {
            try draw(cases[videoEpisode], drawn, in: $0, deviations: deviations, report: report)
        }
        return Result(
            horizon: horizon, episodes: cases.count, samples: samples, methods: methods,
            video: film, seconds: elapsed(since: start))
    }

    /// The last episodes that are long enough.
    private func heldOutEpisodes(of data: TrajectoryDataset) throws(JobError) -> [HeldOutEpisode] {
        let needed = context + horizon
        let long = data.trajectories.enumerated().filter { $1.count >= needed }.suffix(episodes)
        guard !long.isEmpty else {
            throw JobError(
                .unsuitableData,
                "cannot predict '\(dataset.given)': no episode has context + horizon = \(needed) "
                    + "transitions; the longest has "
                    + "\(data.trajectories.map(\.count).max() ?? 0)")
        }
        if video != nil, !(0..<long.count).contains(videoEpisode) {
            throw JobError(
                .noHeldOutEpisode,
                "there is no episode \(videoEpisode) to draw: \(long.count) of '\(dataset.given)' "
                    + "are long enough to be predicted")
        }
        return long.map {
            HeldOutEpisode($1, index: $0, context: context - 1, horizon: horizon)
        }
    }

    private func ensemble(for layout: TransitionLayout) throws -> DynamicsEnsemble? {
        guard let dynamics else { return nil }
        let ensemble = try DynamicsEnsemble(contentsOf: dynamics)
        guard ensemble.layout == layout else {
            throw JobError(
                .mismatch,
                "cannot use the dynamics model '\(dynamics.given)': it was made for "
                    + "\(ensemble.layout.observationDimension) + "
                    + "\(ensemble.layout.actionDimension) dimensions, the data have "
                    + "\(layout.observationDimension) + \(layout.actionDimension)")
        }
        return ensemble
    }

    private func predictions(
        of cases: [HeldOutEpisode], by trained: Checkpoint, _ transitions: Int, ownActions: Bool,
        progress: (Int) -> Void
    ) throws -> [[[[Double]]]] {
        var options = OpenLoopPredictor.Options(contextTransitions: transitions)
        options.samples = samples
        options.seed = seed
        options.filter.topK = topK
        let predictor = try OpenLoopPredictor(
            model: engine.decoder(trained.model), discretizer: trained.discretizer,
            options: options)
        let beginnings = try cases.map { episode in
            var past = PlanningContext(
                layout: trained.model.configuration.layout, discretizer: trained.discretizer,
                limit: max(1, context))
            for step in episode.past {
                try past.append(
                    observation: step.observation, action: step.action, reward: step.reward)
            }
            return OpenLoopPredictor.Beginning(
                context: try past.tokens(before: episode.present),
                actions: ownActions ? nil : episode.actions)
        }
        return try predictor.predict(beginnings, horizon: horizon, progress: progress)
    }

    // MARK: - Drawing

    /// The environment of the data, in which the episode can be drawn.
    private func makeSimulation(
        of data: TrajectoryDataset, _ trained: Checkpoint, _ cases: [HeldOutEpisode]
    ) throws -> any SimulatedEnvironment {
        let name =
            environment ?? RecordedEnvironment(data.attributes, file: dataset.given).name
            ?? trained.description.environment
        let simulation = try DatasetEnvironment.make(
            name, for: data, file: dataset.given, allowsFewerObservations: true)
        _ = try RecordedEpisode.observedState(
            of: simulation, dimension: data.layout.observationDimension)
        return simulation
    }

    private func draw(
        _ episode: HeldOutEpisode, _ predictions: [(name: String, observations: [[Double]])],
        in simulation: any SimulatedEnvironment, deviations: [Double],
        report: (JobEvent<Share>) -> Void
    ) throws -> Result.Video? {
        guard let video else { return nil }
        let drawing = try PredictionDrawing(
            of: episode, in: simulation, predictions: predictions, deviations: deviations,
            isSmall: video.pathExtension.lowercased() != "mp4")
        drawing.notes.forEach { report(.note($0)) }
        let frames = try drawing.write(to: video) {
            report(.progress(Share("drawing", Int(100 * $0), of: 100)))
        }
        return Result.Video(
            output: video.given, environment: simulation.specification.identifier,
            episode: episode.index, frames: frames)
    }
}
