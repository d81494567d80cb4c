import ArgumentParser
import Foundation
import Jobs
import Signals
import Tokenization
import Training
import Transformer

/// `trajectory train`: from a dataset to a checkpoint.
struct TrainCommand: AsyncParsableCommand, DividedCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a Trajectory Transformer on a dataset.",
        discussion: """
            The output folder holds the checkpoint (weights, discretizer, optimizer) and metrics.csv. A run that was stopped, by Ctrl-C \
            for example, goes on with --resume, step for step as if it had not been, with the settings and workers that it had.

            Without options a small model learns for about five minutes; steps, rate and with more \
            --minutes its size follow from the data and this machine's speed. Settings come from the recipe, then from --config, then from \
            the options given here. A configuration file has the sections model, training and tokenization; 'trajectory train \
            --print-config' shows them; besides, training may have timeLimit (minutes), workers and finalTokens, and tokenization \
            maxPathLength, goalColumns, conditionColumns, returnLevels and hiding (probability, seed).

            A token file (trajectory dataset tokenize) is mapped into memory as it is needed; it \
            brings the settings with which it was made, and the run is that of the dataset itself.

            With --goal-columns the model is conditioned on a goal: a place to reach, in these columns of the observation. In training a \
            window's goal is where its episode went later, with --goal-rule last where it ended.

            Examples:
              trajectory train --dataset hopper.hdf5 --output runs/hopper
              trajectory train --dataset hopper.hdf5 --output runs/longer --minutes 60
              trajectory train --dataset medium.hdf5 --dataset expert.npz --output runs/both
              trajectory train --dataset hopper.hdf5 --output runs/authors --recipe authors --steps 5000
              trajectory train --dataset hopper_medium-v2.hdf5 --output runs/50 --recipe authors/hopper-medium --device cuda
              trajectory train --dataset hopper.hdf5 --output runs/hopper --resume
              trajectory train --dataset maze.hdf5 --output runs/maze --goal-columns 0,1 --env pointmaze-umaze
              mpirun --bind-to none -np 2 trajectory train --dataset hopper.hdf5 --output runs/two

            Keys of the JSON object: step, steps, tokens, seconds, loss, held_out_loss, learning_rate, gradient_norm, tokens_per_second.
            """)

    @Option(
        help: "The trajectories: files, folders or Minari names, all joined; or a token file.",
        completion: .file())
    var dataset: [String] = []

    @Option(help: "The run folder.", completion: .directory)
    var output: String?

    @Option(
        help: "A YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Go on with the run in the output folder.")
    var resume = false

    @Option(help: "About how many minutes to train, where --steps does not say how long (5).")
    var minutes: Double?

    @Option(help: "Name of the environment the data come from, kept in the checkpoint.")
    var env: String?

    @OptionGroup var events: TensorBoardOption

    @OptionGroup var chosen: TrainingSettingsOptions

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the settings that would be used, as YAML, and do nothing.")
    var printConfig = false

    @Flag(help: "Print where the run ended as JSON.")
    var json = false

    func validate() throws {
        try engine.refuseUnused()
        try GivenOptions.here.refuse(
            ["--minutes"], unless: chosen.steps == nil && !resume,
            "is for a new run without --steps")
        try requirePositive(["--minutes": minutes])
    }

    func run() async throws {
        let choice = try choice()
        if printConfig { return try Console.print(choice.settings.yaml()) }
        guard !dataset.isEmpty else {
            throw ValidationError("Missing expected argument '--dataset'")
        }
        guard let output else { throw ValidationError("Missing expected argument '--output'") }
        var job = TrainingJob(
            dataset: URL(fileURLWithPath: dataset[0]), output: URL(fileURLWithPath: output))
        job.choose(choice)
        job.reading = reading.options(joining: dataset)
        job.environment = env
        job.resumes = resume
        job.engine = try engine.card()
        job.tensorBoard = events.folder
        job.precision = engine.precision
        job.group = Together.group
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
    private func choice() throws -> TrainingChoice {
        let run =
            resume ? output.flatMap { TrainingSettings(ofRunIn: URL(fileURLWithPath: $0)) } : nil
        let choice = try TrainingChoice(
            chosen.overrides, recipe: chosen.recipe, resumes: resume, run: run, minutes: minutes,
            file: config.map { TrainingSettings.file(URL(fileURLWithPath: $0)) })
        guard let problem = choice.settings.problem else {
            let hasGoals = choice.settings.tokenization.goalColumns != nil
            try GivenOptions.here.refuse(["--goal-rule"], unless: hasGoals, "is for --goal-columns")
            return choice
        }
        // Whose fault it is decides on the code.
        if let config, choice.isFileFlawed {
            throw SettingsError(code: .invalid, file: config, detail: problem)
        }
        throw ValidationError(TrainingSettingsOptions.named(problem))
    }
}
