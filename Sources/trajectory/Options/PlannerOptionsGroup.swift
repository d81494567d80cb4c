import ArgumentParser
import Foundation
import Jobs
import Planning
import Tokenization
import Transformer

/// The options of a planner, shared by the commands that plan; unset ones keep the defaults.
struct PlannerOptionsGroup: ParsableArguments {
    private static let quick = PlannerOptions(.quick)
    private static let meanAction = PlannerOptions(.meanAction)
    private static let authors = PlannerOptions(.authors)
    private static let paper = PlannerOptions(.paper)

    @Option(
        help: ArgumentHelp(
            "How far and wide to search: quick, mean-action, authors, authors/DATASET, or paper.",
            discussion: """
                quick takes about 20 ms; mean-action searches nothing and acts by the mean of 16 \
                actions that the model draws; authors has what the authors' code has for Hopper, and \
                authors/hopper-medium and so on what it has for a dataset; paper is the paper's \
                appendix E.
                """, valueName: "preset"))
    var preset = PlannerOptions.Preset.quick

    @Option(
        help: ArgumentHelp(
            "What a plan is to be best in: expectedReturn, imitation (of the data), or q.",
            discussion: "imitation takes what is likeliest under the model; likelihood is another "
                + "name for it. q is rewards, and --critic's value of the last action in place of "
                + "the model's."))
    var objective = PlannerOptions().objective

    @Option(
        help: "With --objective q, the critic: a file that 'trajectory train-critic' wrote.",
        completion: .file(extensions: ["safetensors"]))
    var critic: String?

    @Option(
        help: """
            Transitions to plan ahead (\(quick.horizon), of other objectives than the return \
            \(PlannerOptions(.quick, for: .q).horizon); mean-action: \
            \(meanAction.horizon); authors: \(authors.horizon)).
            """)
    var horizon: Int?

    @Option(
        help: """
            Sequences kept after each planned transition (\(quick.beamWidth); authors: \
            \(authors.beamWidth); paper: \(paper.beamWidth)).
            """)
    var beamWidth: Int?

    @Option(
        help: """
            Continuations tried of each kept sequence (\(quick.expansionFactor); mean-action: \
            \(meanAction.expansionFactor)).
            """)
    var expansionFactor: Int?

    @Option(
        help: ArgumentHelp("Sample observations from the most likely K tokens.", valueName: "k|all")
    )
    var observationTopK = Limit<Int>(PlannerOptions().observationTopK)

    @Option(
        help: ArgumentHelp(
            "Sample actions from the most likely K tokens (all; paper: 20).", valueName: "k|all"))
    var actionTopK: Limit<Int>?

    @Option(
        help: ArgumentHelp(
            "Sample reward and value from the most likely K tokens.", valueName: "k|all"))
    var rewardTopK = Limit<Int>(PlannerOptions().rewardTopK)

    @Option(
        name: .customLong("observation-cdf"),
        help: ArgumentHelp(
            "Leave out the least likely observation tokens of this mass.", valueName: "mass|all"))
    var observationCDF = Limit<Double>(PlannerOptions().observationCDF)

    @Option(
        name: .customLong("action-cdf"),
        help: ArgumentHelp(
            "Leave out the least likely action tokens of this mass (all; authors: 0.6).",
            valueName: "mass|all"))
    var actionCDF: Limit<Double>?

    @Option(
        name: .customLong("reward-cdf"),
        help: ArgumentHelp(
            "Leave out the least likely reward and value tokens of this mass.",
            valueName: "mass|all"))
    var rewardCDF = Limit<Double>(PlannerOptions().rewardCDF)

    @Option(
        help: ArgumentHelp(
            "With --objective imitation, continue with the most likely K tokens.",
            valueName: "k|all"))
    var likelihoodTopK = Limit<Int>(PlannerOptions().likelihoodTopK)

    @Option(
        help: ArgumentHelp(
            "Read rewards and values as the mean or a percentile, such as 0.8.",
            valueName: "mean|fraction"))
    var readout = ReadoutArgument.mean

    @Option(
        help: ArgumentHelp(
            "Keep no sequence of the least likely ones, whatever return it promises.",
            discussion: "0.25 leaves out a quarter of the candidates after each transition.",
            valueName: "share"))
    var unlikelyShare = PlannerOptions().unlikelyShare

    @Option(
        help: ArgumentHelp(
            """
            What a nat of an action's log-likelihood counts, in deviations of the candidates' \
            returns (\(quick.likelihoodWeight); others: 0).
            """, valueName: "weight"))
    var likelihoodWeight: Double?

    @Option(
        help: """
            Act by the mean first action of the best K sequences (\(quick.averagedRows); \
            mean-action: \(meanAction.averagedRows)).
            """)
    var averagedRows: Int?

    @Option(
        help: """
            Transitions the model sees, the one being planned included \
            (\(quick.contextTransitions); mean-action: \
            \(meanAction.contextTransitions); others: \
            \(authors.contextTransitions)).
            """)
    var contextTransitions: Int?

    @Option(
        help: """
            Steps for which one plan is followed (\(quick.replanInterval); others: \
            \(authors.replanInterval)).
            """)
    var replanInterval: Int?

    @Flag(help: "Let every search also try the rest of the plan before it.")
    var warmStart = false

    @Option(
        name: .customLong("deadline-ms"),
        help: ArgumentHelp(
            "Plan within this time, as far (up to --horizon) and wide (up to --beam-width) as it "
                + "allows.", valueName: "ms"))
    var deadlineMilliseconds: Double?

    @Option(help: "Divide logits by this before sampling; below 1 sharpens.")
    var temperature = PlannerOptions().temperature

    @Option(
        help: ArgumentHelp(
            "Act by this level of return, of a model trained with --return-levels (the highest).",
            valueName: "level"))
    var returnLevel: Int?

    @Option(
        help: """
            With such a model, how often what the level adds to the logits of actions counts; above \
            1 exaggerates.
            """)
    var levelGuidance = PlannerOptions().levelGuidance

    @Option(help: "Weight of a reward one step later; the checkpoint's when not given.")
    var discount: Double?

    @Option(
        help: """
            exact slides the context with every planned transition; cached is faster (cached; \
            authors and paper: exact).
            """)
    var window: PlannerOptions.Window?

    @Flag(
        help:
            "Also reproduce the faults of the authors' percentile, CDF filter and reading of low rewards."
    )
    var authorsQuirks = false

    /// The options as the planner takes them.
    var options: PlannerOptions {
        var options = PlannerOptions(preset, for: objective)
        options.resize(horizon: horizon, beamWidth: beamWidth)
        options.expansionFactor = expansionFactor ?? options.expansionFactor
        options.observationTopK = observationTopK.value
        options.actionTopK = actionTopK.map(\.value) ?? options.actionTopK
        options.rewardTopK = rewardTopK.value
        options.observationCDF = observationCDF.value
        options.actionCDF = actionCDF.map(\.value) ?? options.actionCDF
        options.rewardCDF = rewardCDF.value
        options.likelihoodTopK = likelihoodTopK.value
        options.readout =
            switch readout {
            case .mean: .mean
            case .percentile(let fraction): .percentile(fraction, authorsQuirks ? .authors : .exact)
            }
        options.unlikelyShare = unlikelyShare
        options.likelihoodWeight = likelihoodWeight ?? options.likelihoodWeight
        options.averagedRows = averagedRows ?? options.averagedRows
        options.contextTransitions = contextTransitions ?? options.contextTransitions
        options.replanInterval = replanInterval ?? options.replanInterval
        options.warmStart = warmStart
        options.deadlineMilliseconds = deadlineMilliseconds
        options.temperature = temperature
        options.returnLevel = returnLevel
        options.levelGuidance = levelGuidance
        options.discount = discount
        options.window = window ?? options.window
        options.cdfRule = authorsQuirks ? .authors : .careful
        options.readsPenaltyApart = !authorsQuirks
        return options
    }

    /// The options as programs of the package `Server` read them.
    var json: String {
        get throws { String(decoding: try JSONEncoder().encode(options), as: UTF8.self) }
    }

    /// The trained model in a folder, planning under these options; by the processor if `engine` is
    /// nil.
    func model(in checkpoint: String, on engine: (any Engine)? = nil) throws -> PlanningModel {
        var model = PlanningModel(checkpoint: try Checkpoint.url(named: checkpoint))
        model.options = options
        model.critic = critic.map { URL(fileURLWithPath: $0) }
        if let engine { model.engine = engine }
        return model
    }

    func validate() throws {
        do {
            try options.validate()
        } catch {
            let name =
                error.option == "deadlineMilliseconds"
                ? "--deadline-ms" : Self.optionName(error.option)
            throw ValidationError("\(name) cannot be \(error.value): \(error.remedy)")
        }
        guard (objective == .q) == (critic != nil) else {
            throw ValidationError(
                critic == nil
                    ? "--objective q needs a critic; give one with --critic"
                    : "--critic is for --objective q; give both or neither")
        }
    }

    /// The option for a property: `observationTopK` is set by `--observation-top-k`, `actionCDF` by
    /// `--action-cdf`.
    static func optionName(_ property: String) -> String {
        var name = "--"
        var wasUppercase = false
        for character in property {
            if character.isUppercase, !wasUppercase { name += "-" }
            name += character.lowercased()
            wasUppercase = character.isUppercase
        }
        return name
    }
}
