import ArgumentParser
import Experiments
import Foundation
import Signals
import Transformer

/// `trajectory experiment`: a setting of the paper, from collecting data to the page of results.
struct ExperimentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Run a setting of the paper from nothing, and write its page of results.",
        discussion: """
            Experiments are Experiments/NAME.yaml: long-horizon, imitation, four-rooms, \
            rooms, offline-locomotion, sparse-mazes, antmaze, attention, discretizers, search, \
            or a file of your own. Each step is a command of this program, and is run unless its record in \
            the run folder says that the same command has run already; a training that was stopped \
            goes on. Change the definition, and what depends on the change runs again.

            The page docs/results/NAME.md, its tables and pictures are made from the records, \
            which are kept beside it (NAME.jsonl). With --quick everything is small, ends in \
            minutes and stays in the run folder.

            Steps that run other projects' algorithms need Python packages, which \
            Scripts/reference-environment.sh installs; without them their results are left out.

            Examples:
              trajectory experiment offline-locomotion --quick
              trajectory experiment offline-locomotion
              trajectory experiment offline-locomotion --only hopper --set episodes=100
              trajectory experiment offline-locomotion --list
              trajectory experiment offline-locomotion --report

            Keys of the JSON object: experiment, folder, page, steps (name, state, seconds).
            """)

    @Argument(help: "The experiment's name, or its file.", completion: .file(extensions: ["yaml"]))
    var name: String

    @Flag(help: "A small size, to see that everything works.")
    var quick = false

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Replace a setting, or an axis by values separated by commas.",
            valueName: "name=value"))
    var overrides: [String] = []

    @Option(
        help: ArgumentHelp("Run the steps whose names contain this.", valueName: "text"))
    var only: [String] = []

    @Flag(help: "Print the steps and how they stand; run nothing.")
    var list = false

    @Flag(help: "Write the page from the records that there are; run nothing.")
    var report = false

    @Option(
        help: "Where data, checkpoints and records go; runs/experiments/NAME if not given.",
        completion: .directory)
    var folder: String?

    @Option(
        help: "Where the page goes; docs/results, with --quick the run folder, if not given.",
        completion: .directory)
    var results: String?

    @Option(
        help: "Python with d3rlpy, for the reference; .deps/d3rlpy/bin/python if not given.",
        completion: .file())
    var python: String?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard overrides.allSatisfy({ $0.contains("=") }) else {
            throw ValidationError("write --set as name=value, such as --set episodes=100")
        }
        guard !(list && report) else { throw ValidationError("give --list or --report, not both") }
    }

    func run() async throws {
        var job = ExperimentJob(
            name,
            command: (["trajectory experiment", name] + (quick ? ["--quick"] : [])
                + overrides.map { "--set \($0)" }).joined(separator: " "))
        job.extent = list ? .list : report ? .report : .run
        job.quick = quick
        let replaced = overrides.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        job.overrides = Dictionary(replaced.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { $1 }
        job.only = only
        job.folder = folder.map { URL(fileURLWithPath: $0) }
        job.results = results.map { URL(fileURLWithPath: $0) }
        job.python = python
        job.checkpointsVariable = Checkpoint.searchPathVariable
        job.isStopped = Signals.watch()
        let result = try await job.run { event in
            switch event {
            case .unavailable:
                Console.progress(
                    "steps of other projects' algorithms are left out: run "
                        + "Scripts/reference-environment.sh, or give --python")
            case .step(let step, let number, let count):
                Console.progress(
                    "\n[\(number) of \(count)] \(step.name)\n$ \(step.program.rawValue) "
                        + step.arguments.joined(separator: " "))
            }
        }
        let rows = result.steps.map { step in
            [step.name, step.state.rawValue, step.seconds.map(Console.duration(seconds:)) ?? ""]
        }
        try Console.report(
            result, json: json,
            text: TextTable.aligned(rows) + (result.page.map { "\npage: \($0)" } ?? ""))
    }
}
