import Transformer

/// The sequence of transitions that a planner found best.
///
/// The first transition holds the current observation and the action to take now.
public struct Plan: Sendable, Hashable, Codable {
    /// Another sequence that was still in the beam at the end.
    public struct Candidate: Sendable, Hashable, Codable {
        /// Tokens of the planned transitions: horizon × transition.
        public var tokens: [[Int]]
        /// What it was ranked by.
        public var score: Double

        /// Creates a candidate.
        public init(tokens: [[Int]], score: Double) {
            self.tokens = tokens
            self.score = score
        }
    }

    /// Tokens of the planned transitions: horizon × transition.
    public var tokens: [[Int]]
    /// Decoded observations: horizon × observation; the first is the current one.
    public var observations: [[Double]]
    /// Decoded actions: horizon × action; not clipped to any limits.
    public var actions: [[Double]]
    /// Predicted reward of each transition, read from the model's distributions where the planner
    /// ranks by it, else decoded from the token.
    public var rewards: [Double]
    /// Predicted return-to-go after each transition, read as ``rewards``.
    public var values: [Double]
    /// What the plan was ranked by: discounted rewards and the last value (with the objective `q`
    /// the critic's), or the logarithm of the likelihood.
    public var score: Double
    /// The beam at the end, best first, if asked for; the first one is this plan.
    public var candidates: [Candidate] = []
    /// What the search cost.
    public var statistics: PlanStatistics

    /// Creates a plan; see the properties.
    public init(
        tokens: [[Int]], observations: [[Double]], actions: [[Double]], rewards: [Double],
        values: [Double], score: Double, statistics: PlanStatistics
    ) {
        self.tokens = tokens
        self.observations = observations
        self.actions = actions
        self.rewards = rewards
        self.values = values
        self.score = score
        self.statistics = statistics
    }
}

/// What a search cost, and what it would have cost without sharing.
public struct PlanStatistics: Sendable, Hashable, Codable {
    /// Times that the model was asked for the next token of all rows.
    public var calls = 0
    /// Rows of all those calls together.
    public var rows = 0
    /// Tokens of the windows of all those rows: what is computed without cache and sharing.
    public var tokensForwardedNaively = 0
    /// Distinct prefixes that the model computed; value tokens that nobody reads are left out.
    public var nodesComputed = 0
    /// Distinct prefixes whose output was read.
    public var outputsComputed = 0
    /// Times that a slid window was computed anew.
    public var windowsRebuilt = 0
    /// Wall-clock time of the whole search.
    public var seconds = 0.0
    /// Part of it spent in the model.
    public var modelSeconds = 0.0
    /// Plans that were searched for together; all these figures are of all of them.
    public var plans = 1
    /// Transitions planned.
    public var horizon = 0
    /// Sequences kept after each.
    public var beamWidth = 0

    /// All zero.
    public init() {}
}

/// Why a plan could not be made.
public struct PlanningError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The model's output is NaN.
        case notANumber
        /// Model, discretizer and environment do not fit together.
        case mismatch
        /// What was given to plan from does not fit the model: the number of numbers, one that is
        /// not finite, an unknown token.
        case input
        /// The task that plans was cancelled.
        case cancelled
        /// The engine that computes the model failed.
        case engine
    }
    /// What kind of failure this is.
    public let code: Code
    /// What went wrong and what to do, for a person.
    public let detail: String

    /// One line: what, where, what to do.
    public var description: String { "cannot plan: \(detail)" }

    /// An engine's failure in a search.
    init(_ error: EngineError) {
        self.init(code: .engine, detail: error.description)
    }

    init(code: Code, detail: String) {
        self.code = code
        self.detail = detail
    }

    static func input(_ detail: String) -> PlanningError {
        PlanningError(code: .input, detail: detail)
    }

    static let cancelled = PlanningError(
        code: .cancelled, detail: "the task was cancelled before the plan was made")

    static func notANumber(step: Int) -> PlanningError {
        PlanningError(
            code: .notANumber,
            detail: "the model predicts NaN in planned transition \(step); its weights are damaged "
                + "or training diverged, use another checkpoint")
    }
}

extension PlanningError {
    /// Refuses numbers that are too many, too few or not finite.
    package static func require(
        _ numbers: [Double], count: Int, _ name: String
    ) throws(PlanningError) {
        guard numbers.count == count else {
            throw .input("the \(name) has \(numbers.count) numbers, where \(count) are expected")
        }
        guard let place = numbers.firstIndex(where: { !$0.isFinite }) else { return }
        throw .input("number \(place) of the \(name) is \(numbers[place]); give finite numbers")
    }
}
