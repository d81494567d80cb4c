import Planning
import Tokenization

/// The keyword arguments of a planner, as options of the command line that plans.
struct PlannerRequest: Codable {
    var preset: String
    var objective: String
    var horizon: Int?
    var beamWidth: Int?
    var expansionFactor: Int
    var observationTopK: Int?
    var actionTopK: Int?
    var rewardTopK: Int?
    var observationCDF: Double?
    var actionCDF: Double?
    var rewardCDF: Double?
    var likelihoodTopK: Int?
    /// The percentile that rewards and values are read as; the mean if nil.
    var readout: Double?
    var unlikelyShare: Double
    var likelihoodWeight: Double
    var averagedRows: Int
    var contextTransitions: Int
    var replanInterval: Int
    var warmStart: Bool
    var deadlineMilliseconds: Double?
    var temperature: Double
    var discount: Double?
    var window: String
    var authorsQuirks: Bool

    /// The options as the planner takes them.
    ///
    /// - Throws: ``Failure`` for a name that is none; the rest is for the planner to refuse.
    var options: PlannerOptions {
        get throws {
            var options = PlannerOptions(try choice("preset", preset))
            options.objective =
                objective == "imitation"
                ? .imitation : try choice("objective", objective, also: ["imitation"])
            options.horizon = horizon ?? options.horizon
            options.beamWidth = beamWidth ?? options.beamWidth
            options.expansionFactor = expansionFactor
            options.observationTopK = observationTopK
            options.actionTopK = actionTopK
            options.rewardTopK = rewardTopK
            options.observationCDF = observationCDF
            options.actionCDF = actionCDF
            options.rewardCDF = rewardCDF
            options.likelihoodTopK = likelihoodTopK
            options.readout =
                readout.map { .percentile($0, authorsQuirks ? .authors : .exact) } ?? .mean
            options.unlikelyShare = unlikelyShare
            options.likelihoodWeight = likelihoodWeight
            options.averagedRows = averagedRows
            options.contextTransitions = contextTransitions
            options.replanInterval = replanInterval
            options.warmStart = warmStart
            options.deadlineMilliseconds = deadlineMilliseconds
            options.temperature = temperature
            options.discount = discount
            options.window = try choice("window", window)
            options.cdfRule = authorsQuirks ? .authors : .careful
            options.readsPenaltyApart = !authorsQuirks
            return options
        }
    }

    /// The defaults of the libraries.
    static var defaults: PlannerRequest {
        let options = PlannerOptions()
        return PlannerRequest(
            preset: PlannerOptions.Preset.quick.rawValue, objective: options.objective.rawValue,
            horizon: nil, beamWidth: nil, expansionFactor: options.expansionFactor,
            observationTopK: options.observationTopK, actionTopK: options.actionTopK,
            rewardTopK: options.rewardTopK, observationCDF: options.observationCDF,
            actionCDF: options.actionCDF, rewardCDF: options.rewardCDF,
            likelihoodTopK: options.likelihoodTopK, readout: nil,
            unlikelyShare: options.unlikelyShare, likelihoodWeight: options.likelihoodWeight,
            averagedRows: options.averagedRows,
            contextTransitions: options.contextTransitions,
            replanInterval: options.replanInterval, warmStart: options.warmStart,
            deadlineMilliseconds: options.deadlineMilliseconds, temperature: options.temperature,
            discount: options.discount, window: options.window.rawValue, authorsQuirks: false)
    }
}

/// The case of a name.
///
/// - Throws: ``Failure`` that lists the names there are, and those `also` known.
func choice<Choice: CaseIterable & RawRepresentable<String>>(
    _ option: String, _ name: String, also: [String] = []
) throws(Failure) -> Choice {
    if let choice = Choice(rawValue: name) { return choice }
    let names = Choice.allCases.map(\.rawValue) + also
    throw Failure(
        option: option, value: "'\(name)'", remedy: "give one of \(names.joined(separator: ", "))")
}

/// The defaults of a planner's keyword arguments, by which a test holds the package's to them.
@c(trajectory_planner_defaults)
public func plannerDefaults(_ text: TextPlace) -> Int32 {
    answer(text) { PlannerRequest.defaults }
}
