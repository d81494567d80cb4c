public import ArgumentParser
import Bounds
public import Evaluation
import Jobs
import Statistics

/// `trajectory compare`: methods side by side, with intervals.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare methods by what 'trajectory evaluate --json' printed.",
        discussion: """
            Each argument is a method: FILE or FOLDER (all its .json files), called by its path, \
            NAME=FILE,FILE,... or NAME=FOLDER; the same NAME again adds files to it. The files of a \
            method are its runs, such as training seeds and environments; those that say the same \
            environment are runs in it. The environments that all methods have are compared, and \
            the first method is what the others are compared with.

            Measures are those of rliable (Agarwal et al. 2021) with environments as tasks: \
            interquartile mean, mean, median, gap to a score of 100, the probability that a method \
            is better than the first, and the share of scores above each level. Intervals are those \
            of the stratified bootstrap: over runs where every method has at least two in each \
            environment, else over episodes, or as --unit says. Scores are normalized; returns \
            where a single environment without a normalized score is compared.

            The paired difference is over episodes that began alike, by environment and seed \
            (--seed of 'trajectory evaluate'), and its interval over these starts; runs with the \
            same seed are averaged first. How training seeds vary is not in it.

            Examples:
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 20 --json > a.json
              trajectory evaluate --policy iql.safetensors --env hopper --episodes 20 --json > b.json
              trajectory compare a.json b.json
              trajectory compare planner=results/tt IQL=iql-0.json,iql-1.json IQL=iql-2.json --json
              trajectory compare results/beam results/sampled --unit episodes

            Keys of the JSON object: environments, left_out, score (normalized or returns), unit, \
            is_uneven, confidence, draws, seed, thresholds and methods: name, runs, episodes, \
            interquartile_mean, mean, median, optimality_gap, probability_of_improvement, \
            paired_difference (each value, lower and upper), profile, and environments: \
            environment, runs, episodes, mean, paired_difference, pairs.
            """)

    @Argument(
        help: "Methods: FILE, FOLDER, NAME=FILE,FILE,... or NAME=FOLDER.",
        completion: .file(extensions: ["json"]))
    var methods: [String]

    @Option(help: "What intervals are over: runs or episodes.")
    var unit: Comparison.Unit?

    @Option(help: "Share of the draws that an interval holds.")
    var confidence = Bootstrap().confidence

    @Option(help: "Draws of the bootstrap.")
    var draws = Bootstrap().draws

    @Option(help: "Decides on the draws.")
    var seed = Bootstrap().seed

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard confidence > 0, confidence < 1 else {
            throw ValidationError("--confidence must be between 0 and 1, found \(confidence)")
        }
        try require(.episodes, ["--draws": draws])
    }

    func run() throws {
        var job = try ComparisonJob(parsing: methods)
        job.unit = unit
        job.bootstrap.confidence = confidence
        job.bootstrap.draws = draws
        job.bootstrap.seed = seed
        let comparison = try job.run()
        comparison.notes.forEach(Console.progress)
        try Console.report(comparison, json: json, text: comparison.text)
    }
}

extension Comparison.Unit: ExpressibleByArgument {}
