import Bounds
public import Tokenization
import Trajectories
public import Transformer

/// How far, how wide and by what rules a planner searches; the defaults are the authors'.
///
/// The defaults are the base settings of the authors' code (`config/offline.py`, revision 8834a6e),
/// which it keeps for most datasets of Hopper and Walker2d; ``Preset`` has the others, and those of
/// Janner et al. 2021, appendix E, which differ.
public struct PlannerOptions: Sendable, Hashable, Codable {
    /// What a plan is to be best in.
    public enum Objective: String, Sendable, Hashable, Codable, CaseIterable {
        /// Discounted predicted rewards and the value after the last one: ``BeamPlanner``.
        case expectedReturn
        /// Likelihood under the model, which imitates the data: ``LikelihoodPlanner``.
        case likelihood
        /// Discounted predicted rewards before the last transition, and what a ``TransitionCritic``
        /// says of the last observation and action: ``BeamPlanner``.
        case q

        /// ``likelihood`` by what it is for.
        public static let imitation = likelihood
    }

    /// What of a row's tokens the model sees.
    public enum Window: String, Sendable, Hashable, Codable, CaseIterable {
        /// Never more than ``PlannerOptions/contextTransitions``, as in the authors' code: with
        /// every transition planned the oldest one leaves, positions restart and the window is
        /// computed anew.
        case exact
        /// Starts as ``exact`` does, then grows to all the model can see; only when that is full
        /// are several transitions dropped at once.
        ///
        /// Computes a fraction of the tokens; predictions late in the plan see more of the past
        /// than the authors' would.
        case cached
    }

    /// What a plan is to be best in.
    public var objective: Objective = .expectedReturn
    /// Transitions to plan ahead.
    public var horizon = 15
    /// Sequences kept after each step.
    public var beamWidth = 128
    /// Continuations tried of each kept sequence.
    public var expansionFactor = 2
    /// Observation tokens are sampled from the most likely this many; nil samples from all.
    public var observationTopK: Int? = 1
    /// Action tokens are sampled from the most likely this many; nil samples from all.
    public var actionTopK: Int?
    /// Reward and value tokens are sampled from the most likely this many; nil samples from all.
    public var rewardTopK: Int? = 1
    /// Observation tokens in the low tail of this mass are not sampled; nil allows all.
    public var observationCDF: Double?
    /// Action tokens in the low tail of this mass are not sampled; nil allows all.
    public var actionCDF: Double? = 0.6
    /// Reward and value tokens in the low tail of this mass are not sampled; nil allows all.
    public var rewardCDF: Double?
    /// A search for likelihood continues with the most likely this many tokens; nil with all.
    ///
    /// The other filters are for sampling and do not count there.
    public var likelihoodTopK: Int?
    /// How rewards and values are read from the model's distributions.
    public var readout = ReturnReadout.mean
    /// Share of the candidates, the least likely, that are not kept whatever return they promise.
    ///
    /// Likely is what the model expects of a row's observations and actions so far, over all tokens
    /// that it could have sampled. A search for the largest prediction finds the model's mistakes;
    /// they are what the data have little of. 0 believes every prediction, as the authors do; after
    /// the penalty of Jiang et al. 2022 (arXiv 2208.10291), equation 5, whose limit is absolute.
    public var unlikelyShare = 0.0
    /// What a nat of an action's log-likelihood counts, in standard deviations of the candidates'
    /// returns; 0 believes every prediction, as the authors do.
    ///
    /// Where candidates promise different returns because they do different things, their returns
    /// lie far apart and decide; where they promise much the same, differences are the model's
    /// errors, and what the data do decides.
    public var likelihoodWeight = 0.0
    /// Rows at the end of a search, the best, whose actions are averaged in the plan's first
    /// transition; 1 takes those of the best row alone.
    public var averagedRows = 1
    /// Transitions the model sees, the one being planned included; the default is less with a model
    /// that was trained on shorter windows.
    public var contextTransitions = 5
    /// Environment steps for which one plan is followed.
    public var replanInterval = 1
    /// Whether a search also tries the rest of the plan before it.
    ///
    /// One row takes that plan's actions as long as it is among the best; the others are sampled.
    public var warmStart = false
    /// Milliseconds within which to plan; nil searches ``horizon`` and ``beamWidth`` to the end.
    ///
    /// With a deadline these are the most that is searched: a smaller size is chosen from the speed
    /// that was measured, and a search that is late stops with the transitions it has.
    public var deadlineMilliseconds: Double?
    /// Divides the logits before sampling; below 1 sharpens.
    ///
    /// Rewards and values are read without it.
    public var temperature = 1.0
    /// Weight of a reward one step later.
    ///
    /// Nil stands for the one that the model's values were trained with, where a checkpoint tells
    /// it, and for 0.99, the authors', where none does.
    public var discount: Double?
    /// The level of return to act by, from 1, of a model that was trained with levels
    /// (``Tokenization/ReturnLevels``); nil for the highest.
    public var returnLevel: Int?
    /// How far actions lean towards what the level of return makes likelier; 1 draws them as the
    /// model expects them behind the level, more exaggerates, 0 does not regard the level.
    ///
    /// Logits are those behind no level, and so many times what the level adds to them: the
    /// guidance without classifier of Ho & Salimans 2022 (arXiv 2207.12598), equation 6, where it
    /// is 1 + w.
    public var levelGuidance = 1.0
    /// What of a row's tokens the model sees.
    public var window = Window.exact
    /// What the CDF filter does at its edges.
    public var cdfRule = TokenFilter.CDFRule.careful
    /// Whether the lowest rewards are read without the termination penalty that shares their bin
    /// (`Discretizer.readingRewards(apartFrom:dimension:)`); the authors read them with it.
    public var readsPenaltyApart = true

    static let fallbackDiscount = 0.99

    /// The defaults.
    public init() {}

    /// The filter for tokens of an observation.
    public var observationFilter: TokenFilter {
        filter(topK: observationTopK, cdf: observationCDF)
    }
    /// The filter for tokens of an action.
    public var actionFilter: TokenFilter { filter(topK: actionTopK, cdf: actionCDF) }
    /// The filter for the tokens of reward and value.
    public var rewardFilter: TokenFilter { filter(topK: rewardTopK, cdf: rewardCDF) }

    /// Whether a search for returns asks how likely its rows' actions are, and also their
    /// observations.
    var countsLikelihood: (ofActions: Bool, ofObservations: Bool) {
        (unlikelyShare > 0 || likelihoodWeight > 0, unlikelyShare > 0)
    }

    /// The filter for every token of a search for likelihood.
    var likelihoodFilter: TokenFilter { TokenFilter(topK: likelihoodTopK) }

    private func filter(topK: Int?, cdf: Double?) -> TokenFilter {
        TokenFilter(topK: topK, cdf: cdf, temperature: temperature, cdfRule: cdfRule)
    }

    /// Checks that the options make sense together.
    ///
    /// - Throws: ``PlannerOptionsError`` naming the first option that does not.
    public func validate() throws(PlannerOptionsError) {
        let numbers: [(String, Int?, Bound)] = [
            ("horizon", horizon, .horizon), ("beamWidth", beamWidth, .beam),
            ("expansionFactor", expansionFactor, .beam),
            ("observationTopK", observationTopK, .beam), ("actionTopK", actionTopK, .beam),
            ("rewardTopK", rewardTopK, .beam), ("likelihoodTopK", likelihoodTopK, .beam),
            ("replanInterval", replanInterval, .horizon),
            ("contextTransitions", max(1, contextTransitions), .transitions),
        ]
        for (name, value, bound) in numbers where bound.problem(name, value) != nil {
            throw PlannerOptionsError(
                name, "\(value ?? 0)",
                value ?? 0 < 1
                    ? "give a whole number from 1 up"
                    : "give a whole number up to \(bound.range.upperBound)")
        }
        guard (1...beamWidth).contains(averagedRows) else {
            throw PlannerOptionsError(
                "averagedRows", "\(averagedRows)",
                "give a whole number from 1 to the beam's width, \(beamWidth)")
        }
        // As many candidates stay as there are rows.
        let most = 1 - 1 / Double(expansionFactor)
        guard (0...most).contains(unlikelyShare) else {
            throw PlannerOptionsError(
                "unlikelyShare", "\(unlikelyShare)",
                "give a share from 0 to \(most): of \(expansionFactor) continuations of each "
                    + "sequence one is kept")
        }
        guard contextTransitions >= 2 else {
            throw PlannerOptionsError(
                "contextTransitions", "\(contextTransitions)",
                "give 2 or more: the transition being planned and at least one before it")
        }
        guard replanInterval <= horizon else {
            throw PlannerOptionsError(
                "replanInterval", "\(replanInterval)",
                "give at most the horizon, \(horizon): a plan has no more actions")
        }
        for (name, value) in [
            ("observationCDF", observationCDF), ("actionCDF", actionCDF), ("rewardCDF", rewardCDF),
        ] {
            guard let value, !(0 < value && value < 1) else { continue }
            throw PlannerOptionsError(
                name, "\(value)", "give a mass between 0 and 1, or all to allow all tokens")
        }
        if case .percentile(let fraction, _) = readout, !(0 < fraction && fraction < 1) {
            throw PlannerOptionsError(
                "readout", "percentile \(fraction)", "give a fraction between 0 and 1")
        }
        if let deadlineMilliseconds, !(deadlineMilliseconds > 0 && deadlineMilliseconds.isFinite) {
            throw PlannerOptionsError(
                "deadlineMilliseconds", "\(deadlineMilliseconds)", "give milliseconds above 0")
        }
        guard likelihoodWeight >= 0, likelihoodWeight.isFinite else {
            throw PlannerOptionsError(
                "likelihoodWeight", "\(likelihoodWeight)", "give 0 or a number above")
        }
        if objective == .likelihood, likelihoodWeight != 0 {
            throw PlannerOptionsError(
                "likelihoodWeight", "\(likelihoodWeight)",
                "give another objective: a search for likelihood weighs nothing else")
        }
        if objective == .likelihood, unlikelyShare != 0 || averagedRows != 1 {
            throw PlannerOptionsError(
                unlikelyShare != 0 ? "unlikelyShare" : "averagedRows",
                unlikelyShare != 0 ? "\(unlikelyShare)" : "\(averagedRows)",
                "give another objective: a search for likelihood keeps what is likeliest anyway")
        }
        if objective == .likelihood, warmStart || deadlineMilliseconds != nil {
            throw PlannerOptionsError(
                warmStart ? "warmStart" : "deadlineMilliseconds",
                warmStart ? "set with the objective likelihood" : "\(deadlineMilliseconds ?? 0)",
                "give the objective expectedReturn: a search for likelihood has neither")
        }
        guard temperature > 0, temperature.isFinite else {
            throw PlannerOptionsError(
                "temperature", "\(temperature)", "give a number above 0; 1 changes nothing")
        }
        guard levelGuidance >= 0, levelGuidance.isFinite else {
            throw PlannerOptionsError(
                "levelGuidance", "\(levelGuidance)",
                "give 0 or a number above; 1 changes nothing")
        }
        if let discount, !(0 < discount && discount <= 1) {
            throw PlannerOptionsError("discount", "\(discount)", "give a number in (0, 1]")
        }
    }

    /// Checks that the options make sense with a model.
    ///
    /// - Throws: ``PlannerOptionsError`` naming the first option that does not.
    public func validate(for model: any PrefixTreeModel) throws(PlannerOptionsError) {
        try validate()
        let transition = model.layout.transitionDimension
        guard model.contextLength >= transition else {
            throw PlannerOptionsError(
                "contextTransitions", "\(contextTransitions)",
                "plan with a model trained on windows of 2 transitions or more: this one sees "
                    + "\(model.contextLength) tokens, a transition has \(transition)")
        }
        do {
            try memoryNeed(for: model).require()
        } catch {
            throw PlannerOptionsError(
                "beamWidth", "\(beamWidth) with horizon \(horizon)",
                "keep fewer sequences or plan less far: \(error)")
        }
    }

    /// What searches of so many episodes at once need of memory, about, at most.
    func memoryNeed(for model: any PrefixTreeModel, together: Int = 1) -> MemoryNeed {
        let transition = model.layout.transitionDimension
        let candidates = objective == .likelihood ? 1 : expansionFactor
        let seen =
            window == .exact
            ? min(model.contextLength, Int.saturating(contextTransitions, times: transition))
            : model.contextLength
        let planned = Int.saturating(horizon, times: transition)
        var need = MemoryNeed("planning")
        // Tokens of every row, its rewards and values; of the nodes it stands on keys and values;
        // its last logits.
        need.add(together, beamWidth, candidates, planned)
        need.add(together, beamWidth, candidates, horizon, size: 16)
        need.add(
            together, beamWidth, candidates, min(seen, planned), size: model.bytesPerNode)
        need.add(together, beamWidth, candidates, model.vocabularySize, size: 12)
        return need
    }

    /// The options as they are with a model that was trained on windows of so many transitions: a
    /// default context, a preset's among them, is no longer than these.
    ///
    /// - Throws: ``PlannerOptionsError`` when another context was asked for that is longer: the
    ///   model would not see it.
    package func fitted(toWindowOf transitions: Int) throws(PlannerOptionsError) -> Self {
        guard contextTransitions > transitions else { return self }
        let defaults = [Self().contextTransitions, Self.quickContext]
        guard defaults.contains(contextTransitions) else {
            throw PlannerOptionsError(
                "contextTransitions", "\(contextTransitions)",
                "give at most \(transitions), the transitions that the model was trained on")
        }
        var options = self
        // Below two, planning says what is wrong with the model.
        options.contextTransitions = max(2, transitions)
        return options
    }
}

extension PlannerOptions {
    /// Searches as far and wide as is given, and follows plans and averages rows no further than
    /// there then are any.
    package mutating func resize(horizon: Int?, beamWidth: Int?) {
        self.horizon = horizon ?? self.horizon
        self.beamWidth = beamWidth ?? self.beamWidth
        // Sizes below 1 are for `validate()` to name.
        replanInterval = min(replanInterval, max(1, self.horizon))
        averagedRows = min(averagedRows, max(1, self.beamWidth))
    }

    /// The conditions of a model with the level of return that is to be acted by.
    ///
    /// - Throws: ``PlannerOptionsError`` when the model has no such level, or none to be guided by.
    func asked(of conditions: Conditions?) throws(PlannerOptionsError) -> Conditions? {
        if levelGuidance != 1, conditions?.returns == nil {
            throw PlannerOptionsError(
                "levelGuidance", "\(levelGuidance)",
                "leave it out: the model was trained without levels of return")
        }
        guard let returnLevel else { return conditions }
        guard let levels = conditions?.returns else {
            throw PlannerOptionsError(
                "returnLevel", "\(returnLevel)",
                "leave it out: the model was trained without levels of return")
        }
        guard (1...levels.count).contains(returnLevel) else {
            throw PlannerOptionsError(
                "returnLevel", "\(returnLevel)",
                "give a level from 1 to \(levels.count), those that the model was trained with")
        }
        var asked = conditions
        asked?.returns = levels.asking(for: returnLevel)
        return asked
    }
}

extension Checkpoint {
    /// The bins as a search with `options` reads them.
    package func discretizer(readAsBy options: PlannerOptions) -> Discretizer {
        // A checkpoint that a program made may leave open whether there was a penalty.
        guard options.readsPenaltyApart,
            case .number(let penalty) = description.tokenization.terminationPenalty
        else { return discretizer }
        return discretizer.readingRewards(
            apartFrom: penalty, dimension: model.configuration.layout.rewardIndex)
    }

    /// Transitions of a window on which the model was trained.
    package var windowTransitions: Int {
        (model.configuration.contextLength + 1) / model.configuration.layout.transitionDimension
    }
}

/// An option of a planner that cannot be.
public struct PlannerOptionsError: Error, CustomStringConvertible, Sendable, Hashable {
    /// Name of the property of ``PlannerOptions``.
    public let option: String
    /// What it was.
    public let value: String
    /// What to give instead.
    public let remedy: String

    init(_ option: String, _ value: String, _ remedy: String) {
        self.option = option
        self.value = value
        self.remedy = remedy
    }

    /// One line: what, where, what to do.
    public var description: String {
        "planner option \(option) cannot be \(value): \(remedy)"
    }
}
