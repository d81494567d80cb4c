import Planning
import Tokenization

/// The keyword arguments of a planner, as options of the command line that plans; what is nil was
/// not given and is as the preset has it.
struct PlannerRequest: Decodable {
    /// A number, or `all` for no limit.
    struct Limit<Number: Decodable>: Decodable {
        let value: Number?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            value =
                (try? container.decode(String.self)) == "all"
                ? nil : try container.decode(Number.self)
        }
    }

    var preset: String?
    var objective: String?
    var horizon: Int?
    var beamWidth: Int?
    var expansionFactor: Int?
    var observationTopK: Limit<Int>?
    var actionTopK: Limit<Int>?
    var rewardTopK: Limit<Int>?
    var observationCDF: Limit<Double>?
    var actionCDF: Limit<Double>?
    var rewardCDF: Limit<Double>?
    var likelihoodTopK: Limit<Int>?
    /// The percentile that rewards and values are read as; the mean if nil.
    var readout: Double?
    var unlikelyShare: Double?
    var likelihoodWeight: Double?
    var averagedRows: Int?
    var contextTransitions: Int?
    var replanInterval: Int?
    var warmStart: Bool?
    var deadlineMilliseconds: Double?
    var temperature: Double?
    var returnLevel: Int?
    var levelGuidance: Double?
    var discount: Double?
    var window: String?
    var authorsQuirks: Bool?

    /// The options as the planner takes them.
    ///
    /// - Throws: ``Failure`` for a name that is none; the rest is for the planner to refuse.
    var options: PlannerOptions {
        get throws {
            var options = PlannerOptions(
                try preset.map { try choice("preset", $0) } ?? .quick, for: try chosenObjective)
            func set<Value>(_ path: WritableKeyPath<PlannerOptions, Value>, _ value: Value?) {
                if let value { options[keyPath: path] = value }
            }
            options.resize(horizon: horizon, beamWidth: beamWidth)
            set(\.expansionFactor, expansionFactor)
            set(\.observationTopK, observationTopK.map(\.value))
            set(\.actionTopK, actionTopK.map(\.value))
            set(\.rewardTopK, rewardTopK.map(\.value))
            set(\.observationCDF, observationCDF.map(\.value))
            set(\.actionCDF, actionCDF.map(\.value))
            set(\.rewardCDF, rewardCDF.map(\.value))
            set(\.likelihoodTopK, likelihoodTopK.map(\.value))
            let isAuthors = authorsQuirks ?? false
            set(\.readout, readout.map { .percentile($0, isAuthors ? .authors : .exact) })
            set(\.unlikelyShare, unlikelyShare)
            set(\.likelihoodWeight, likelihoodWeight)
            set(\.averagedRows, averagedRows)
            set(\.contextTransitions, contextTransitions)
            set(\.replanInterval, replanInterval)
            set(\.warmStart, warmStart)
            set(\.deadlineMilliseconds, deadlineMilliseconds)
            set(\.temperature, temperature)
            set(\.returnLevel, returnLevel)
            set(\.levelGuidance, levelGuidance)
            set(\.discount, discount)
            set(\.window, try window.map { try choice("window", $0) })
            options.cdfRule = isAuthors ? .authors : .careful
            options.readsPenaltyApart = !isAuthors
            return options
        }
    }

    private var chosenObjective: PlannerOptions.Objective {
        get throws {
            guard let objective else { return PlannerOptions().objective }
            if objective == "imitation" { return .imitation }
            return try choice("objective", objective, also: ["imitation"])
        }
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
