import ArgumentParser
import Bounds
import Foundation
import Jobs
import Learning
import Signals

/// `trajectory select`: policies and checkpoints ranked by data alone.
struct SelectCommand: AsyncParsableCommand {
    private static let defaults = FittedQEvaluation.Settings()

    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Rank policies and checkpoints by logged episodes, without an environment.",
        discussion: """
            Fitted Q evaluation (Le, Voloshin and Yue 2019): of each candidate a critic learns from \
            the data what its actions earn, and the candidate's value is that of its actions at the \
            starts of episodes that were held out. It ranks; the numbers themselves are guesses, \
            the more so the further a candidate's actions are from the data's (the column \
            'distance'). docs/selection.md shows how far the ranking agrees with real returns.

            A candidate is a policy as 'trajectory evaluate --policy' takes it, or the folder of a \
            checkpoint, which plans anew at every transition: give fewer --transitions then. \
            --discount (0.99) is the weight of a reward one step later.

            Examples:
              trajectory select bc.safetensors iql.safetensors td3bc.safetensors --dataset hopper.hdf5
              trajectory select iql-*.safetensors --dataset mine.hdf5 --steps 50000 --json
              trajectory select runs/a runs/b --dataset hopper.hdf5 --transitions 5000

            Keys of the JSON object: environment, discount, held_out_return, held_out_episodes, \
            transitions, seconds and candidates, the best first: name, rank, value, value_error, \
            action_distance, loss.
            """)

    @Argument(
        help: "Policies (FILE, expert, random, ...) and folders of checkpoints.",
        completion: .file())
    var candidates: [String]

    @Option(
        help: "The trajectories: a file, folder or Minari name; several are joined.",
        completion: .file())
    var dataset: [String]

    @OptionGroup var environment: EnvironmentOption

    @Option(help: "Updates of a candidate's critic.")
    var steps = defaults.learning.steps

    @Option(help: "Transitions to learn from; a candidate decides once on each.")
    var transitions = defaults.transitions

    @Option(help: "Share of the episodes that is held out.")
    var heldOut = defaults.heldOutFraction

    @Option(help: "Fixes what is held out, initial weights and the order of the data.")
    var seed = defaults.learning.seed

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    /// Whether a candidate is a checkpoint rather than a policy.
    private static func isCheckpoint(_ name: String) -> Bool {
        let url = URL(fileURLWithPath: name)
        return url.pathExtension == "json"
            || (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
    }

    func validate() throws {
        try require(.steps, ["--steps": steps, "--transitions": transitions])
        try require(.workers, ["--workers": workers])
        let given = GivenOptions.here
        // --discount is what values are discounted by, too.
        try given.refuse(
            (PlannerOptionsGroup.names + EngineOptionsGroup.names).filter { $0 != "--discount" },
            unless: candidates.contains(where: Self.isCheckpoint),
            "is for checkpoints, of which there is none")
        try given.refuse(
            ["--replan-interval", "--warm-start"], unless: false,
            "does nothing where every transition is planned anew")
        try engine.refuseUnused()
        try planner.refuseUnused()
        guard 0...1 ~= heldOut, 0...1 ~= planner.discount ?? 1 else {
            throw ValidationError("--held-out and --discount must lie in [0, 1]")
        }
    }

    func run() async throws {
        let card = try engine.engine()
        let choices = try candidates.map { name -> AgentChoice in
            guard Self.isCheckpoint(name) else { return .policy(name) }
            return .model(try planner.model(in: name, on: card))
        }
        var job = SelectionJob(choices, dataset: URL(fileURLWithPath: dataset[0]))
        job.environment = environment.name
        job.reading = reading.options(joining: dataset)
        job.settings.learning.steps = steps
        job.settings.learning.seed = seed
        job.settings.learning.workers = workers
        job.settings.transitions = transitions
        job.settings.discount = planner.discount ?? Self.defaults.discount
        job.settings.heldOutFraction = heldOut
        job.isStopped = Signals.watch()
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { event in
            line.show(event) { progress in
                switch progress {
                case .deciding(let candidate, let share):
                    "\(candidate) of \(candidates.count)  \(share.line)"
                case .learning(let candidate, let progress):
                    "\(candidate) of \(candidates.count)  \(progress.line)"
                }
            }
        }
        line.finish()
        try Console.report(result, json: json, text: result.text)
    }
}

extension SelectionJob.Result {
    /// A table for a person.
    fileprivate var text: String {
        let rows = candidates.map {
            [
                "\($0.rank)  \($0.name)", $0.value.text("%.1f"), $0.valueError?.text("%.1f") ?? "–",
                $0.actionDistance.text("%.3f"),
            ]
        }
        return TextTable.aligned([["   candidate", "value", "±", "distance"]] + rows)
            + "\n\nthe data's own: \(heldOutReturn.text("%.1f")), discounted by \(discount), over "
            + "\(heldOutEpisodes) held-out episodes"
    }
}
