import ArgumentParser
import Files
import Foundation
import Jobs
import Tokenization
import Training
import Transformer

/// `trajectory train`: from a dataset to a checkpoint.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a Trajectory Transformer on a dataset.",
        discussion: """
            The output folder holds the checkpoint (weights, discretizer, optimizer) and \
            metrics.csv. A run that was stopped, by Ctrl-C for example, goes on with --resume, step \
            for step as if it had not been, with the settings and workers that it had.

            Settings come from the recipe, then from --config, then from the options given here; \
            --recipe authors is the paper's. A configuration file has the sections model, training and \
            tokenization; 'trajectory train --print-config' shows them; besides, training may have \
            timeLimit (minutes), workers and finalTokens, and tokenization maxPathLength and \
            goalColumns.

            A token file (trajectory dataset tokenize) is mapped into memory as it is needed; it \
            brings the settings with which it was made, and the run is that of the dataset itself.

            With --goal-columns the model is conditioned on a goal: a place to reach, in these \
            columns of the observation. In training a window's goal is where its episode went \
            later.

            Examples:
              trajectory train --dataset hopper.hdf5 --output runs/hopper
              trajectory train --dataset hopper.hdf5 --output runs/small --layers 2 --width 64 \
            --steps 5000
              trajectory train --dataset hopper.hdf5 --output runs/hopper --config \
            Experiments/hopper.yaml --resume
              trajectory train --dataset maze.hdf5 --output runs/maze --goal-columns 0,1 --env \
            pointmaze-umaze

            Keys of the JSON object: step, steps, tokens, seconds, loss, held_out_loss, \
            learning_rate, gradient_norm, tokens_per_second.
            """)

    @Option(
        help: "The trajectories: a D4RL-format HDF5 file, a Minari folder, or a token file.",
        completion: .file(extensions: ["hdf5", "tokens"]))
    var dataset: String?

    @Option(help: "The run folder.", completion: .directory)
    var output: String?

    @Option(
        help: "A YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Go on with the run in the output folder.")
    var resume = false

    @Option(help: "Name of the environment the data come from, kept in the checkpoint.")
    var env: String?

    @OptionGroup var chosen: TrainingSettingsOptions

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the settings that would be used, as YAML, and do nothing.")
    var printConfig = false

    @Flag(help: "Print where the run ended as JSON.")
    var json = false

    func validate() throws { try engine.refuseUnused() }

    func run() async throws {
        let settings = try settings()
        if printConfig { return try OutputFile.print(settings.yaml()) }
        guard let dataset else { throw ValidationError("Missing expected argument '--dataset'") }
        guard let output else { throw ValidationError("Missing expected argument '--output'") }
        var job = TrainingJob(
            dataset: URL(fileURLWithPath: dataset), output: URL(fileURLWithPath: output))
        job.settings = settings
        job.settledSettings =
            try config.map {
                try TrainingSettings.names(in: URL(fileURLWithPath: $0))
            } ?? []
        if chosen.bins != nil { job.settledSettings.insert("tokenization.binCount") }
        job.reading = reading.options
        job.environment = env
        job.resumes = resume
        job.engine = try engine.card()
        job.isStopped = Signals.watch()
        let line = ProgressLine()
        let end = try job.run { Self.show($0, on: line) }
        line.finish()
        if json { try Console.printJSON(end) }
    }

    /// Shows how far training is.
    static func show(_ event: JobEvent<TrainingProgress>, on line: ProgressLine) {
        line.show(event, isMilestone: { $0.heldOutLoss != nil }, text: \.line)
    }

    /// The settings of the recipe, or of the run that is resumed, replaced by what the file says,
    /// then by what the options say.
    private func settings() throws -> TrainingSettings {
        let run =
            resume ? output.flatMap { TrainingSettings(ofRunIn: URL(fileURLWithPath: $0)) } : nil
        var settings = run ?? TrainingSettings()
        // A run without a record is from before there were recipes.
        let recipe = chosen.recipe ?? (run != nil ? nil : resume ? .authors : .quick)
        recipe?.apply(to: &settings.training, &settings.model)
        var given: Set<String> = []
        if let config {
            let url = URL(fileURLWithPath: config)
            settings = try TrainingSettings(contentsOf: url, over: settings)
            given = try TrainingSettings.names(in: url)
        }
        let ofFile = settings.problem
        chosen.apply(to: &settings)
        if let recipe, run == nil, chosen.learningRate == nil,
            !given.contains("training.learningRate")
        {
            settings.training.learningRate = recipe.learningRate(
                settings.training, width: settings.model.embeddingWidth)
        }
        guard let problem = settings.problem else { return settings }
        // Whose fault it is decides on the code.
        if let config, ofFile != nil {
            throw SettingsError(code: .invalid, file: config, detail: problem)
        }
        throw ValidationError(TrainingSettingsOptions.named(problem))
    }
}
