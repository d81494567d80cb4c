import ArgumentParser
import Datasets
import Environments
import Episodes
import Evaluation
import Foundation
import Learning
import Planning
import Rendering
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// `trajectory predict`: long-horizon prediction, against single-step models.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict held-out trajectories from their beginning, and measure the error.",
        discussion: """
            From the first --context transitions of an episode the model follows its logged actions \
            for --horizon steps, feeding its own predictions back in. The error of a step is the root \
            mean square over episodes and dimensions, in units of each dimension's standard \
            deviation over the file. Compared are the transformer, the same transformer when it sees \
            one transition only (Markovian), an ensemble of single-step models (--dynamics), and \
            predicting no change; predictions are means over --samples.

            Taken are the last --episodes episodes that are long enough; train with data that do not \
            hold them (train-dynamics has --skip-last; `dataset convert` and `collect` with another \
            seed make other files).

            With --video one of the episodes is drawn as it was, and over it in translucent colours \
            the first sample of the transformer (blue) and of the ensemble (magenta, in a panel of \
            its own): as a video (mp4, gif), slowed down to six seconds where it is shorter, or as a \
            strip of six moments (png). Where on the ground the robot is, observations leave out; it \
            is integrated from the true and from the predicted velocities, and a prediction that \
            strays further than a metre from the true place is drawn a metre from it. A checkpoint that was \
            trained with --observation-dimensions is given as many of the data.

            Examples:
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5 --dynamics \
            dynamics.safetensors --horizon 100 --plot prediction.png
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5 --video \
            prediction.gif --video-episode 3

            Keys of the JSON object: horizon, episodes, samples, methods (name, by_step, mean), seconds, \
            video (with --video: output, environment, episode of the file, frames).
            """)

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(help: "Held-out trajectories: an HDF5 file or a Minari folder.")
    var dataset: String

    @Option(help: "Ensemble of single-step models that `trajectory train-dynamics` wrote.")
    var dynamics: String?

    @Option(help: "Steps to predict.")
    var horizon = 100

    @Option(help: "Transitions that are known before the first predicted one.")
    var context = 1

    @Option(help: "Episodes to predict, the last of the file.")
    var episodes = 16

    @Option(help: "Predictions of each episode, of which the mean counts.")
    var samples = 5

    @Option(help: "Keep only the likeliest tokens; without it all may be drawn.")
    var topK: Int?

    @Option(help: "Fixes what is drawn.")
    var seed: UInt64 = 0

    @Flag(
        help: "Also let the transformer choose the actions (open loop); its error then is no fault."
    )
    var sampleActions = false

    @Option(help: "Draw the errors to this file (png or svg).")
    var plot: String?

    @Option(
        help: "Draw an episode as it was and as it was predicted (mp4, gif or png).",
        completion: .file(extensions: ["mp4", "gif", "png"]))
    var video: String?

    @Option(help: "The episode to draw, counted from 0 among those predicted.")
    var videoEpisode = 0

    @Option(
        name: .customLong("env"),
        help: "Environment to draw; that of the dataset or checkpoint if not given.")
    var environment: String?

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard horizon > 0, context > 0, episodes > 0, samples > 0 else {
            throw ValidationError("--horizon, --context, --episodes and --samples must be positive")
        }
        if let topK, topK < 1 { throw ValidationError("--top-k must be positive, found \(topK)") }
        guard 0..<episodes ~= videoEpisode else {
            throw ValidationError(
                "--video-episode must be from 0 to \(episodes - 1), of the --episodes predicted; "
                    + "found \(videoEpisode)")
        }
        if let video {
            let format = URL(fileURLWithPath: video).pathExtension.lowercased()
            guard ["mp4", "gif", "png"].contains(format) else {
                throw ValidationError("--video must end in .mp4, .gif or .png, found \(video)")
            }
        }
    }

    private struct Method: Encodable {
        let name: String
        let byStep: [Double]
        let mean: Double

        enum CodingKeys: String, CodingKey {
            case name, mean
            case byStep = "by_step"
        }

        init(_ name: String, _ error: PredictionError) {
            self.name = name
            byStep = error.byStep
            mean = error.mean
        }
    }

    private struct Result: Encodable {
        struct Video: Encodable {
            let output, environment: String
            let episode, frames: Int
        }
        let horizon, episodes, samples: Int
        let methods: [Method]
        let video: Video?
        let seconds: Double
    }

    func run() async throws {
        let start = ContinuousClock.now
        for file in [plot, video].compactMap(\.self) {
            // Known before the work as well as after it.
            try Console.requireFolder(of: URL(fileURLWithPath: file))
        }
        if let video { try VideoWriter.requireProgram(for: URL(fileURLWithPath: video)) }
        let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
        let data = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: dataset), options: reading.options(for: trained))
        data.notes.forEach(Console.progress)
        try trained.requireLayout(
            of: data, file: dataset, named: checkpoint)
        let cases = try heldOutEpisodes(of: data)
        let simulation = try video.map { _ in try makeSimulation(for: data, trained, cases) }
        let deviations = DatasetSummary(data).observations.map(\.standardDeviation)
        func error(_ predictions: [[[Double]]]) -> PredictionError {
            PredictionError(
                of: predictions, truth: cases.map(\.truth), deviations: deviations)
        }

        var methods: [Method] = []
        var drawn: [(name: String, observations: [[Double]])] = []
        func add(_ name: String, _ samples: [[[[Double]]]], drawnAs drawing: String? = nil) {
            methods.append(Method(name, error(samples.map(PredictionError.mean(of:)))))
            // A sample, since the mean of several moves like none of them.
            if let drawing { drawn.append((drawing, samples[videoEpisode][0])) }
        }
        let configuration = trained.model.configuration
        let full = configuration.contextLength / configuration.layout.transitionDimension + 1
        add(
            "transformer", try predictions(of: cases, by: trained, full, "transformer"),
            drawnAs: "transformer")
        add(
            "Markovian transformer",
            try predictions(of: cases, by: trained, 2, "Markovian transformer"))
        if sampleActions {
            add(
                "transformer, own actions",
                try predictions(of: cases, by: trained, full, "own actions", given: false))
        }
        if let ensemble = try ensemble(for: data.layout) {
            let beginnings = cases.map {
                DynamicsEnsemble.Beginning(observation: $0.present, actions: $0.actions)
            }
            add(
                "ensemble of single-step models",
                ensemble.predict(beginnings, samples: samples, seed: seed), drawnAs: "ensemble")
        }
        add("no change", cases.map { [Array(repeating: $0.present, count: horizon)] })

        if let plot { try draw(methods, to: plot) }
        let result = Result(
            horizon: horizon, episodes: cases.count, samples: samples, methods: methods,
            video: try simulation.flatMap {
                try film(cases[videoEpisode], drawn, in: $0, deviations: deviations)
            }, seconds: Console.seconds(ContinuousClock.now - start))
        if json { try Console.printJSON(result) } else { print(Self.table(result)) }
    }

    /// The last episodes that are long enough.
    private func heldOutEpisodes(of data: TrajectoryDataset) throws -> [HeldOutEpisode] {
        let needed = context + horizon
        let long = data.trajectories.enumerated().filter { $1.count >= needed }.suffix(episodes)
        guard !long.isEmpty else {
            throw CommandError(
                description: "cannot predict '\(dataset)': no episode has --context + --horizon = "
                    + "\(needed) transitions; the longest has "
                    + "\(data.trajectories.map(\.count).max() ?? 0)")
        }
        return long.map {
            HeldOutEpisode($1, index: $0, context: context - 1, horizon: horizon)
        }
    }

    private func ensemble(for layout: TransitionLayout) throws -> DynamicsEnsemble? {
        guard let dynamics else { return nil }
        let ensemble = try DynamicsEnsemble(contentsOf: URL(fileURLWithPath: dynamics))
        guard ensemble.layout == layout else {
            throw CommandError(
                description: "cannot use the dynamics model '\(dynamics)': it was made for "
                    + "\(ensemble.layout.observationDimension) + "
                    + "\(ensemble.layout.actionDimension) dimensions, the data have "
                    + "\(layout.observationDimension) + \(layout.actionDimension)")
        }
        return ensemble
    }

    private func predictions(
        of cases: [HeldOutEpisode], by trained: Checkpoint, _ transitions: Int, _ name: String,
        given: Bool = true
    ) throws -> [[[[Double]]]] {
        var options = OpenLoopPredictor.Options(contextTransitions: transitions)
        options.samples = samples
        options.seed = seed
        options.filter.topK = topK
        let predictor = try OpenLoopPredictor(
            model: CPUEngine.cpu.decoder(trained.model), discretizer: trained.discretizer,
            options: options)
        let line = ProgressLine()
        defer { line.finish() }
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
                actions: given ? episode.actions : nil)
        }
        return try predictor.predict(beginnings, horizon: horizon) { done in
            line.show("\(name): \(done) of \(horizon) steps", isMilestone: false)
        }
    }

    // MARK: - Drawing

    /// The environment of the data, in which the episode can be drawn.
    private func makeSimulation(
        for data: TrajectoryDataset, _ trained: Checkpoint, _ cases: [HeldOutEpisode]
    ) throws -> any SimulatedEnvironment {
        guard cases.indices.contains(videoEpisode) else {
            throw CommandError(
                description: "there is no episode \(videoEpisode) to draw: \(cases.count) of "
                    + "'\(dataset)' are long enough to be predicted; give a smaller "
                    + "--video-episode")
        }
        let name =
            environment ?? data.attributes[DatasetEnvironment.attribute]
            ?? trained.description.environment
        let simulation = try DatasetEnvironment.make(
            name, for: data, file: dataset, allowsFewerObservations: true)
        _ = try RecordedEpisode.observedState(
            of: simulation, dimension: data.layout.observationDimension)
        return simulation
    }

    private func film(
        _ episode: HeldOutEpisode, _ predictions: [(name: String, observations: [[Double]])],
        in simulation: any SimulatedEnvironment, deviations: [Double]
    ) throws -> Result.Video? {
        guard let video else { return nil }
        let url = URL(fileURLWithPath: video)
        let drawing = try PredictionDrawing(
            of: episode, in: simulation, predictions: predictions, deviations: deviations,
            isSmall: url.pathExtension.lowercased() != "mp4")
        drawing.notes.forEach(Console.progress)
        return Result.Video(
            output: video, environment: simulation.specification.identifier,
            episode: episode.index, frames: try drawing.write(to: url))
    }

    private func draw(_ methods: [Method], to file: String) throws {
        let steps = (1...horizon).map(Double.init)
        var chart = Plot(
            title: "Predicting \(horizon) steps",
            xLabel: "step", yLabel: "error in standard deviations",
            series: methods.map {
                .init(
                    $0.name, x: steps, y: $0.byStep, style: $0.name == "no change" ? .dashed : .line
                )
            })
        // A model that runs away would leave nothing to see of the others.
        chart.hasLogarithmicY = methods.contains { ($0.byStep.max() ?? 0) > 5 }
        try chart.write(to: URL(fileURLWithPath: file))
    }

    private static func table(_ result: Result) -> String {
        let marks = [1, 10, 50, 100].filter { $0 <= result.horizon }
        let header = [""] + marks.map { "step \($0)" } + ["mean"]
        let rows = result.methods.map { method in
            [method.name]
                + (marks.map { method.byStep[$0 - 1] } + [method.mean])
                .map { String(format: "%.3f", $0) }
        }
        return TextTable.aligned([header] + rows)
            + "\n\(result.episodes) episodes, errors in standard deviations"
    }
}
