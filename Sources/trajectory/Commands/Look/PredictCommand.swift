import ArgumentParser
import Bounds
import Foundation
import Jobs
import Transformer

/// `trajectory predict`: long-horizon prediction, against single-step models.
struct PredictCommand: AsyncParsableCommand, DividedCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict held-out trajectories from their beginning, and measure how well.",
        discussion: """
            From the first --context transitions of an episode the model follows its logged \
            actions for --horizon steps, feeding its own predictions back in. Errors are root mean \
            squares over episodes and dimensions of the samples' mean, in standard deviations of \
            each dimension; likelihoods are log-densities of what happened, in nats. \
            Compared are the transformer, the same one when it sees one transition only \
            (Markovian), single-step models (--dynamics), and predicting no change; \
            docs/prediction.md tells more.

            Taken are the last --episodes episodes that are long enough: train with data that do \
            not hold them (train-dynamics has --skip-last). As many observation dimensions are \
            given to the model as it was trained with.

            --video draws an episode as it was, and over it the first prediction of the \
            transformer (blue) and of the ensemble (magenta): a video (mp4, gif), slowed down to \
            six seconds where it is shorter, or a strip of six moments (png). A prediction that \
            strays further than a metre is drawn a metre away.

            Examples:
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5 --dynamics \
            dynamics.safetensors --horizon 100 --plot prediction.png
              trajectory predict --checkpoint runs/hopper --dataset held-out.hdf5 --video \
            prediction.gif --video-episode 3

            Keys of the JSON object: horizon, episodes, samples, dimensions (that the likelihood \
            counts), hidden, methods (name, file, by_step, standard_errors, mean, standard_error \
            of the error, and likelihood with the same four), oracle and data_distribution \
            (likelihoods), seconds, video (with --video: output, environment, episode of the \
            file, frames).
            """)

    private static let defaults = PredictionJob(
        checkpoint: URL(fileURLWithPath: ""), dataset: URL(fileURLWithPath: ""))

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(help: "Held-out trajectories: an HDF5 file or a Minari folder.")
    var dataset: String

    @Option(
        help:
            "Ensembles of single-step models by `trajectory train-dynamics`; the likeliest counts."
    )
    var dynamics: [String] = []

    @Option(help: "Steps to predict.")
    var horizon = defaults.horizon

    @Option(help: "Transitions that are known before the first predicted one.")
    var context = defaults.context

    @Option(help: "Episodes to predict, the last of the file.")
    var episodes = defaults.episodes

    @Option(help: "Predictions of each episode.")
    var samples = defaults.samples

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

    @Option(help: "Draw the likelihoods to this file (png or svg).")
    var likelihoodPlot: String?

    @Option(
        help: "Draw an episode as it was and as it was predicted (mp4, gif or png).",
        completion: .file(extensions: PictureFile.scene))
    var video: String?

    @Option(help: "The episode to draw, counted from 0 among those predicted.")
    var videoEpisode = 0

    @OptionGroup var hiding: HidingOptions

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup var environment: EnvironmentOption

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.horizon, ["--horizon": horizon, "--context": context])
        try require(.episodes, ["--episodes": episodes, "--samples": samples])
        try require(.beam, ["--top-k": topK])
        guard 0..<episodes ~= videoEpisode else {
            throw ValidationError(
                "--video-episode must be from 0 to \(episodes - 1), of the --episodes predicted; "
                    + "found \(videoEpisode)")
        }
        try GivenOptions.here.refuse(
            ["--video-episode", "--env"], unless: video != nil, "is for --video")
        try engine.refuseUnused()
        try PictureFile.require(PictureFile.chart, plot, option: "--plot")
        try PictureFile.require(PictureFile.chart, likelihoodPlot, option: "--likelihood-plot")
        try PictureFile.require(PictureFile.scene, video, option: "--video")
    }

    func run() async throws {
        var job = try PredictionJob(
            checkpoint: Checkpoint.url(named: checkpoint), dataset: URL(fileURLWithPath: dataset))
        job.dynamics = dynamics.map { URL(fileURLWithPath: $0) }
        job.hiding = hiding.hiding
        job.horizon = horizon
        job.context = context
        job.episodes = episodes
        job.samples = samples
        job.topK = topK
        job.seed = seed
        job.samplesActions = sampleActions
        job.plot = plot.map { URL(fileURLWithPath: $0) }
        job.likelihoodPlot = likelihoodPlot.map { URL(fileURLWithPath: $0) }
        job.video = video.map { URL(fileURLWithPath: $0) }
        job.videoEpisode = videoEpisode
        job.environment = environment.name
        job.engine = try engine.engine()
        job.group = Together.group
        job.reading = reading.options
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { line.show($0, text: \.line) }
        line.finish()
        try Console.report(result, json: json, text: result.text)
    }
}
