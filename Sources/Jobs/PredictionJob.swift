import Bounds
public import Datasets
import Environments
import Episodes
import Evaluation
import Figures
public import Foundation
import Learning
public import Processes
import Rendering
public import Trajectories
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
            /// The file of an ensemble, where several were given.
            public var file: String?
            /// The root mean square error after 1, 2, … steps, in standard deviations.
            public var byStep: [Double]
            /// Standard errors of these over the episodes; nil of one episode.
            public var standardErrors: [Double]?
            /// The mean of the errors.
            public var mean: Double
            /// Its standard error.
            public var standardError: Double?
            /// How likely what happened was; nil of methods that give no distribution of it.
            public var likelihood: Likelihood?
        }
        /// Logarithms of the density of what happened, in nats.
        public struct Likelihood: Sendable, Codable {
            /// After 1, 2, … steps.
            public var byStep: [Double]
            /// Standard errors of these over the episodes; nil of one episode.
            public var standardErrors: [Double]?
            /// The mean.
            public var mean: Double
            /// Its standard error.
            public var standardError: Double?

            init(_ likelihood: PredictionLikelihood) {
                byStep = likelihood.byStep
                standardErrors = likelihood.standardErrors
                mean = likelihood.mean
                standardError = likelihood.meanStandardError
            }
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
        /// Dimensions of the observation that the likelihood counts.
        public var dimensions: Int
        /// The probability with which each number was hidden from the models; nil where none was.
        public var hidden: Double?
        /// All methods.
        public var methods: [Method]
        /// The likelihood for one who knows the bins of what happened: the bound of all that
        /// predict tokens.
        public var oracle: Likelihood
        /// The likelihood for one who knows how often each bin occurs in the data.
        public var dataDistribution: Likelihood
        /// The drawing, if one was asked for.
        public var video: Video?
        /// Wall-clock time.
        public var seconds: Double
    }

    /// The folder of the trained model.
    public var checkpoint: URL
    /// The held-out data.
    public var dataset: URL
    /// Files of ensembles of single-step models; of several the likeliest counts, too, as *the*
    /// ensemble.
    public var dynamics: [URL] = []
    /// Steps to predict.
    public var horizon = 100
    /// Transitions that are known before the first predicted one.
    public var context = 1
    /// Episodes to predict: the last of the data that are long enough.
    public var episodes = 16
    /// Predictions of each episode, whose mean has the error and whose distribution the likelihood.
    public var samples = 200
    /// Only the likeliest tokens are drawn; all if nil.
    public var topK: Int?
    /// Fixes what is drawn.
    public var seed: UInt64 = 0
    /// Whether the transformer also predicts with actions of its own.
    public var samplesActions = false
    /// What the models do not see; what the transformer was trained with if nil.
    public var hiding: Hiding?
    /// A picture of the errors (png or svg).
    public var plot: URL?
    /// A picture of the likelihoods (png or svg).
    public var likelihoodPlot: URL?
    /// A drawing of an episode as it was and as it was predicted (mp4, gif or png).
    public var video: URL?
    /// The episode that is drawn, from 0 among those predicted.
    public var videoEpisode = 0
    /// Name of the environment that is drawn; that of dataset or checkpoint if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Who predicts together; all of them run the same job, each some of the episodes, and the first
    /// one draws.
    public var group: any ProcessGroup = SingleProcess()
    /// What computes the model.
    public var engine: any Engine = CPUEngine.cpu

    private static let noChange = "no change"
    private static let ensemble = "ensemble of single-step models"

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
        let files = group.isFirst ? [plot, likelihoodPlot, video].compactMap(\.self) : []
        for file in files { try file.requireWritable() }
        if let video, group.isFirst { try VideoWriter.requireProgram(for: video) }
        let trained = try Checkpoint(at: checkpoint)
        let hiding = try hiding(of: trained)
        let data = try TrajectoryDataset(
            contentsOf: dataset, options: reading.fitting(trained))
        data.notes.forEach { report(.note($0)) }
        try trained.requireLayout(of: data, file: dataset.given, named: checkpoint.given)
        guard trained.conditions == nil else {
            throw JobError(
                .mismatch,
                "cannot predict with '\(checkpoint.given)': it was trained under conditions of whole "
                    + "episodes; give a model that was trained without")
        }
        let ensembles = try dynamics.map { try ensemble($0, for: data.layout, hiding: hiding) }
        let cases = try heldOutEpisodes(of: data)
        let simulation = try video.map { _ in try makeSimulation(of: data, trained, cases) }
        let deviations = DatasetSummary(data).observations.map(\.standardDeviation)
        let density = ObservationDensity(
            trained.discretizer, width: data.layout.observationDimension)

        var methods: [Result.Method] = []
        var drawn: [(name: String, observations: [[Double]])] = []
        func add(
            _ name: String, _ forecast: PredictionForecast, file: String? = nil,
            drawnAs drawing: String? = nil
        ) {
            let error = PredictionError(
                of: forecast.means, truth: cases.map(\.truth), deviations: deviations)
            methods.append(
                .init(
                    name: name, file: file, byStep: error.byStep,
                    standardErrors: error.standardErrors, mean: error.mean,
                    standardError: error.meanStandardError,
                    likelihood: forecast.logarithms.map { .init(PredictionLikelihood($0)) }))
            if let drawing { drawn.append((drawing, forecast.sample)) }
        }
        func transformer(
            _ name: String, _ transitions: Int, ownActions: Bool = false
        ) throws -> PredictionForecast {
            try forecast(
                cases, by: trained, transitions, density, hiding: hiding, ownActions: ownActions
            ) { done, count in report(.progress(Share(name, done, of: count))) }
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
        let forecasts = try ensembles.map { try forecast(cases, by: $0, density, hiding: hiding) }
        if forecasts.count > 1 {
            for (forecast, url) in zip(forecasts, dynamics) {
                let file = url.deletingPathExtension().lastPathComponent
                add("ensemble \(file)", forecast, file: url.given)
            }
        }
        if let best = forecasts.indices.max(by: {
            forecasts[$0].likelihood < forecasts[$1].likelihood
        }) {
            add(
                Self.ensemble, forecasts[best],
                file: forecasts.count > 1 ? dynamics[best].given : nil, drawnAs: "ensemble")
        }
        add(
            Self.noChange,
            PredictionForecast(
                means: cases.map { Array(repeating: $0.present, count: horizon) }, sample: []))
        let oracle = PredictionLikelihood(cases.map { $0.truth.map(density.oracle(of:)) })
        let rows = data.trajectories.flatMap { trajectory in
            (0..<trajectory.count).map { trajectory.observation($0).map(Double.init) }
        }
        let known = density.logarithms(of: cases.flatMap(\.truth), under: rows)
        let distribution = PredictionLikelihood(
            cases.indices.map { Array(known[($0 * horizon)..<(($0 + 1) * horizon)]) })

        if let plot, group.isFirst {
            try Plot.predictionErrors(
                methods.map { ($0.name, $0.byStep) }, baseline: Self.noChange
            ).write(to: plot)
        }
        if let likelihoodPlot, group.isFirst {
            try Plot.predictionLikelihoods(
                methods.compactMap { method in
                    method.likelihood.map { (method.name, $0.byStep) }
                },
                bounds: [("oracle", oracle.byStep), ("data's distribution", distribution.byStep)]
            ).write(to: likelihoodPlot)
        }
        let film = try simulation.flatMap {
            try draw(cases[videoEpisode], drawn, in: $0, deviations: deviations, report: report)
        }
        return Result(
            horizon: horizon, episodes: cases.count, samples: samples,
            dimensions: density.dimensions.count, hidden: hiding?.probability, methods: methods,
            oracle: .init(oracle), dataDistribution: .init(distribution), video: film,
            seconds: elapsed(since: start))
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
        let starts = data.trajectories.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        return long.map {
            HeldOutEpisode(
                $1, index: $0, firstRow: starts[$0], context: context - 1, horizon: horizon)
        }
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
        guard let video, group.isFirst else { return nil }
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
