import ArgumentParser
import Datasets
import Dynamics
import Evaluation
import Foundation
import Planning
import Rendering
import Tokenization
import Trajectories
import Transformer

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

            Examples:
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5 --dynamics \
            dynamics.safetensors --horizon 100 --plot prediction.png

            Keys of the JSON object: horizon, episodes, samples, methods (name, by_step, mean), seconds.
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

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard horizon > 0, context > 0, episodes > 0, samples > 0 else {
            throw ValidationError("--horizon, --context, --episodes and --samples must be positive")
        }
        if let topK, topK < 1 { throw ValidationError("--top-k must be positive, found \(topK)") }
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
        let horizon, episodes, samples: Int
        let methods: [Method]
        let seconds: Double
    }

    func run() async throws {
        let start = ContinuousClock.now
        let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
        let data = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: dataset), options: reading.options)
        data.notes.forEach(Console.progress)
        let layout = trained.model.configuration.layout
        try trained.requireLayout(
            of: data, file: dataset, named: checkpoint, attempt: "predict")
        let needed = context + horizon
        let long = data.trajectories.filter { $0.count >= needed }.suffix(episodes)
        guard !long.isEmpty else {
            throw CommandError(
                description: "cannot predict '\(dataset)': no episode has --context + --horizon = "
                    + "\(needed) transitions; the longest has "
                    + "\(data.trajectories.map(\.count).max() ?? 0)")
        }
        let cases = long.map { HeldOutEpisode($0, context: context - 1, horizon: horizon) }
        let deviations = DatasetSummary(data).observations.map(\.standardDeviation)
        func error(_ predictions: [[[Double]]]) -> PredictionError {
            PredictionError(
                of: predictions, truth: cases.map(\.truth), deviations: deviations)
        }

        var methods: [Method] = []
        let full = trained.model.configuration.contextLength / layout.transitionDimension + 1
        for (name, transitions) in [("transformer", full), ("Markovian transformer", 2)] {
            methods.append(
                Method(name, error(try predictions(of: cases, by: trained, transitions, name))))
        }
        if sampleActions {
            methods.append(
                Method(
                    "transformer, own actions",
                    error(
                        try predictions(
                            of: cases, by: trained, full, "own actions", given: false))))
        }
        if let dynamics {
            let ensemble = try DynamicsEnsemble(contentsOf: URL(fileURLWithPath: dynamics))
            guard ensemble.layout == layout else {
                throw CommandError(
                    description: "cannot use the dynamics model '\(dynamics)': it was made for "
                        + "\(ensemble.layout.observationDimension) + "
                        + "\(ensemble.layout.actionDimension) dimensions, the data have "
                        + "\(layout.observationDimension) + \(layout.actionDimension)")
            }
            let predicted = cases.map {
                PredictionError.mean(
                    of: ensemble.predict(
                        from: $0.present, actions: $0.actions, samples: samples, seed: seed))
            }
            methods.append(Method("ensemble of single-step models", error(predicted)))
        }
        methods.append(
            Method("no change", error(cases.map { Array(repeating: $0.present, count: horizon) })))

        if let plot { try draw(methods, to: plot) }
        let result = Result(
            horizon: horizon, episodes: cases.count, samples: samples, methods: methods,
            seconds: Console.seconds(ContinuousClock.now - start))
        if json { try Console.printJSON(result) } else { print(Self.table(result)) }
    }

    private func predictions(
        of cases: [HeldOutEpisode], by trained: Checkpoint, _ transitions: Int, _ name: String,
        given: Bool = true
    ) throws -> [[[Double]]] {
        var options = OpenLoopPredictor.Options(contextTransitions: transitions)
        options.samples = samples
        options.seed = seed
        options.filter.topK = topK
        let predictor = try OpenLoopPredictor(
            model: PrefixDecoder(trained.model), discretizer: trained.discretizer, options: options)
        let line = ProgressLine()
        defer { line.finish() }
        let beginnings = cases.map { episode in
            var past = PlanningContext(
                layout: trained.model.configuration.layout, discretizer: trained.discretizer,
                limit: max(1, context))
            for step in episode.past {
                past.append(
                    observation: step.observation, action: step.action, reward: step.reward)
            }
            return OpenLoopPredictor.Beginning(
                context: past.tokens(before: episode.present),
                actions: given ? episode.actions : nil)
        }
        return predictor.predict(beginnings, horizon: horizon) { done in
            line.show("\(name): \(done) of \(horizon) steps", isMilestone: false)
        }.map(PredictionError.mean(of:))
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

/// A logged episode as a task of prediction.
private struct HeldOutEpisode {
    struct Step {
        let observation, action: [Double]
        let reward: Double
    }
    /// What happened before the present observation.
    let past: [Step]
    let present: [Double]
    /// The actions that followed.
    let actions: [[Double]]
    /// The observations after each of them.
    let truth: [[Double]]

    /// The first `context` transitions are the past; the episode has `context + horizon + 1` rows or
    /// more.
    init(_ trajectory: Trajectory, context: Int, horizon: Int) {
        past = (0..<context).map {
            Step(
                observation: trajectory.observation($0).map(Double.init),
                action: trajectory.action($0).map(Double.init),
                reward: Double(trajectory.rewards[$0]))
        }
        present = trajectory.observation(context).map(Double.init)
        actions = (0..<horizon).map { trajectory.action(context + $0).map(Double.init) }
        truth = (1...horizon).map { trajectory.observation(context + $0).map(Double.init) }
    }
}
