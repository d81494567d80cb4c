import Planning
import Serving
import ServingTestSupport
import Testing

/// What a connection remembers from one request to the next.
@Suite struct SessionTests {
    private let planner: Planner
    private var session: Session

    init() throws {
        planner = try SmallPolicy.planner()
        session = Session(context: planner.context(), lanes: 4)
    }

    /// Answers as the server does; returns the plans and what they were made from.
    @discardableResult
    private mutating func answer(
        _ request: PlanRequest
    ) throws -> (step: Session.Step, plans: [Plan]) {
        let step = try session.step(for: request)
        let plans = try planner.plan(step.situations)
        session.commit(step, plans: plans)
        return (step, plans)
    }

    private func transitions(_ step: Session.Step) -> [Int] {
        step.situations.map(\.context.transitions.count)
    }

    @Test mutating func `a reward appends what was observed, the first action and the reward`()
        throws
    {
        let first = try answer(PlanRequest(observations: [[1.5, 2.5]]))
        #expect(transitions(first.step) == [0])
        var request = PlanRequest(observations: [[2.5, 3.5]])
        request.rewards = [4]
        let second = try answer(request)
        var expected = planner.context()
        try expected.append(
            observation: [1.5, 2.5], action: first.plans[0].actions[0], reward: 4)
        #expect(second.step.situations[0].context == expected)
        let alone = try planner.plan(context: expected, observation: [2.5, 3.5], seed: 1)
        #expect(second.plans[0].tokens == alone.tokens)
    }

    @Test mutating func `a gap begins a new context, and goes on with the seeds`() throws {
        try answer(PlanRequest(observations: [[1, 1]]))
        var request = PlanRequest(observations: [[2, 2]])
        request.rewards = [1]
        #expect(try transitions(answer(request).step) == [1])
        let gap = try answer(PlanRequest(observations: [[3, 3]])).step
        #expect(transitions(gap) == [0])
        #expect(gap.situations[0].seed == 2)
    }

    @Test mutating func `a reset forgets everything but the goal, and counts no reward`() throws {
        let planner = try SmallPolicy.planner(goalColumns: [0])
        var session = Session(context: planner.context(), lanes: 4)
        var request = PlanRequest(observations: [[1, 1]])
        #expect(throws: ServingError.self) { try session.step(for: request) }
        request.goals = [[7.5]]
        var step = try session.step(for: request)
        session.commit(step, plans: try planner.plan(step.situations))
        var reset = PlanRequest(observations: [[1, 1]])
        reset.resets = [true]
        reset.rewards = [3]
        step = try session.step(for: reset)
        #expect(step.situations[0].context.transitions.isEmpty)
        #expect(step.situations[0].context.goal == [7] && step.situations[0].seed == 0)
    }

    @Test mutating func `a history takes the place of what is remembered, the latest of it`() throws
    {
        try answer(PlanRequest(observations: [[1, 1]]))
        var request = PlanRequest(observations: [[9, 9]])
        request.history = [
            (0..<20).map {
                .init(observation: [Double($0 % 10), 0], action: [1], reward: 2)
            }
        ]
        let step = try answer(request).step
        var expected = planner.context()
        for transition in request.history?[0] ?? [] {
            try expected.append(
                observation: transition.observation, action: transition.action,
                reward: transition.reward)
        }
        #expect(step.situations[0].context == expected)
        #expect(expected.transitions.count < 20)
        request.rewards = [1]
        #expect(throws: ServingError.self) { try session.step(for: request) }
    }

    @Test mutating func `lanes of a batch are apart`() throws {
        var request = PlanRequest(observations: [[1, 1], [2, 2], [3, 3]], isBatch: true)
        #expect(try transitions(answer(request).step) == [0, 0, 0])
        request.rewards = [1, 2, 3]
        request.resets = [false, true, false]
        let step = try answer(request).step
        #expect(transitions(step) == [1, 0, 1])
        #expect(step.situations.map(\.seed) == [1, 0, 1])
        // Another number of lanes: others than before, who have brought no reward.
        request = PlanRequest(observations: [[1, 1]])
        request.rewards = [1]
        #expect(throws: ServingError.self) { try session.step(for: request) }
        request.rewards = nil
        #expect(try transitions(answer(request).step) == [0])
    }

    @Test mutating func `a refused request changes nothing`() throws {
        try answer(PlanRequest(observations: [[1, 1]]))
        for observation in [[1], [1, 2, 3], [1, .nan], [.infinity, 0]] as [[Double]] {
            var request = PlanRequest(observations: [observation])
            request.rewards = [1]
            #expect(throws: ServingError.self) { try session.step(for: request) }
        }
        var request = PlanRequest(observations: [[1, 1]])
        request.rewards = [.nan]
        #expect(throws: ServingError.self) { try session.step(for: request) }
        request.rewards = [1]
        #expect(try transitions(answer(request).step) == [1])
    }

    @Test mutating func `what does not fit is refused`() throws {
        func refuse(_ change: (inout PlanRequest) -> Void, _ code: ServingError.Code) {
            var request = PlanRequest(observations: [[1, 1], [2, 2]], isBatch: true)
            change(&request)
            let error = #expect(throws: ServingError.self) { try session.step(for: request) }
            #expect(error?.code == code)
        }
        refuse({ $0.observations = [] }, .malformed)
        refuse({ $0.observations = Array(repeating: [1, 1], count: 5) }, .tooLarge)
        refuse({ $0.rewards = [1, 2] }, .malformed)
        refuse({ $0.rewards = [1] }, .malformed)
        refuse({ $0.resets = [true] }, .malformed)
        refuse({ $0.goals = [[1], [1]] }, .malformed)
        refuse({ $0.history = [[]] }, .malformed)
        refuse(
            { $0.history = [[], [.init(observation: [1], action: [1], reward: 1)]] }, .malformed)
    }

    @Test mutating func `a seed that is given counts up by lane`() throws {
        var request = PlanRequest(observations: [[1, 1], [1, 1]], isBatch: true)
        request.seed = .max
        #expect(try session.step(for: request).situations.map(\.seed) == [.max, 0])
    }
}
