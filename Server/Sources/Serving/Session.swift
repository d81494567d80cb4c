public import Planning

/// What a connection remembers: of each lane the latest transitions, the goal, and the last answer.
///
/// The rules, for each lane of a request:
///
/// - `reset` forgets what happened and what was answered, not the goal; a reward beside it is the
///   last one of the episode before and counts for nothing.
/// - `history` takes the place of what is remembered.
/// - `reward` says that the client took the first action of the last answer, and that it brought
///   this: observation, action and reward are appended.
/// - Without any of these, after an answer, the client has shown one observation of a chunk and
///   steps lie between that the server never saw: a new context begins.
///
/// What a connection is answered depends on what it has sent alone, not on other connections.
public struct Session: Sendable {
    fileprivate struct Lane: Sendable {
        var context: PlanningContext
        /// What was observed at the last answer, and the first action of it.
        var last: (observation: [Double], action: [Double])?
        /// Answers since the last reset: the seed of the next.
        var answers: UInt64 = 0
    }

    /// A request that may be planned for; the session changes when ``commit(_:plans:)`` says so.
    public struct Step: Sendable {
        /// What to plan from, one for each lane.
        public let situations: [Planner.Situation]
        /// Whether the answer is to be a batch.
        public let isBatch: Bool
        fileprivate var lanes: [Lane]
    }

    private let empty: PlanningContext
    private let limit: Int
    private var lanes: [Lane] = []

    /// A session that remembers nothing yet.
    ///
    /// - Parameters:
    ///   - context: The planner's empty context.
    ///   - limit: The most lanes that a request may have.
    public init(context: PlanningContext, lanes limit: Int) {
        empty = context
        self.limit = limit
    }

    /// What to plan from, by a request and what is remembered; nothing is changed yet.
    ///
    /// - Throws: ``ServingError`` that says what of the request does not fit.
    public func step(for request: PlanRequest) throws(ServingError) -> Step {
        let count = request.observations.count
        guard 1...limit ~= count else {
            throw ServingError(
                count == 0 ? .malformed : .tooLarge,
                "\(count) observations in one request; give 1 to \(limit)")
        }
        try require(request.rewards?.count, count, "rewards")
        try require(request.resets?.count, count, "resets")
        try require(request.goals?.count, count, "goals")
        try require(request.history?.count, count, "histories")
        var lanes = lanes
        if lanes.count != count {
            guard lanes.isEmpty || request.rewards == nil else {
                throw ServingError(
                    .malformed,
                    "rewards for \(count) lanes, where the last answer was for \(lanes.count)")
            }
            lanes = Array(repeating: Lane(context: empty), count: count)
        }
        var situations: [Planner.Situation] = []
        for index in 0..<count {
            try lanes[index].advance(by: request, lane: index)
            let situation = Planner.Situation(
                context: lanes[index].context, observation: request.observations[index],
                seed: request.seed.map { $0 &+ UInt64(index) } ?? lanes[index].answers)
            guard situation.context.goal.count == situation.context.goalColumns.count else {
                throw ServingError(
                    .malformed,
                    "no goal: this policy is told what to reach, in columns "
                        + "\(situation.context.goalColumns) of the observation")
            }
            // Refuses an observation that is not the model's, before it shares a search.
            _ = try refusing(lane: index) { () throws(PlanningError) in
                try situation.context.tokens(before: situation.observation)
            }
            situations.append(situation)
        }
        return Step(situations: situations, isBatch: request.isBatch, lanes: lanes)
    }

    private func require(_ found: Int?, _ count: Int, _ name: String) throws(ServingError) {
        guard let found, found != count else { return }
        throw ServingError(.malformed, "\(found) \(name) for \(count) observations")
    }

    /// Remembers a step and what was answered.
    public mutating func commit(_ step: Step, plans: [Plan]) {
        precondition(plans.count == step.lanes.count, "a plan for each lane")
        lanes = step.lanes
        for (index, plan) in plans.enumerated() {
            lanes[index].last = plan.actions.first.map {
                (step.situations[index].observation, $0)
            }
            lanes[index].answers &+= 1
        }
    }
}

extension Session.Lane {
    fileprivate mutating func advance(
        by request: PlanRequest, lane: Int
    ) throws(ServingError) {
        let isReset = request.resets?[lane] ?? false
        if isReset {
            context.removeAll()
            last = nil
            answers = 0
        }
        if let goal = request.goals?[lane] {
            guard !context.goalColumns.isEmpty else {
                throw ServingError(.malformed, "a goal, which this policy does not take")
            }
            try refusing(lane: lane) { () throws(PlanningError) in try context.setGoal(goal) }
        }
        if let history = request.history?[lane] {
            guard isReset || request.rewards == nil else {
                throw ServingError(
                    .malformed, "a history and a reward; a history holds the last reward too")
            }
            context.removeAll()
            for transition in history { try append(transition, lane: lane) }
        } else if let reward = request.rewards?[lane], !isReset {
            guard let last else {
                throw ServingError(
                    .malformed, "a reward, where nothing was answered before that could bring it")
            }
            try append(
                .init(observation: last.observation, action: last.action, reward: reward),
                lane: lane)
        } else if last != nil {
            context.removeAll()
        }
        last = nil
    }

    private mutating func append(
        _ transition: PlanRequest.Transition, lane: Int
    ) throws(ServingError) {
        try refusing(lane: lane) { () throws(PlanningError) in
            try context.append(
                observation: transition.observation, action: transition.action,
                reward: transition.reward)
        }
    }
}

/// What the planner refuses of a lane, refused to the client.
private func refusing<Result>(
    lane: Int, _ body: () throws(PlanningError) -> Result
) throws(ServingError) -> Result {
    do {
        return try body()
    } catch {
        throw ServingError(.malformed, error.detail + (lane > 0 ? " (lane \(lane))" : ""))
    }
}
