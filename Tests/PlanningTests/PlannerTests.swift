import Planning
import Synchronization
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// The interface for programs, deadlines, suggestions and cancelling.
@Suite struct PlannerTests {
    private let layout = SmallPlanner.layout
    private var discretizer: Discretizer { SmallPlanner.discretizer }

    private func planner(_ change: (inout PlannerOptions) -> Void = { _ in }) throws -> Planner {
        try SmallPlanner.make(change)
    }

    @Test func `plans on several threads are those made one after the other`() async throws {
        let planner = try planner()
        var context = planner.context()
        try context.append(observation: [1, 2], action: [3], reward: 4)
        let past = context
        let expected = try (0..<12).map { index in
            try planner.plan(context: past, observation: [Double(index) / 2, 5], seed: 7)
        }
        #expect(Set(expected.map(\.tokens)).count > 1)
        let plans = try await withThrowingTaskGroup(of: (Int, Plan).self) { group in
            for index in 0..<12 {
                group.addTask {
                    (
                        index,
                        try planner.plan(
                            context: past, observation: [Double(index) / 2, 5], seed: 7)
                    )
                }
            }
            return try await group.reduce(into: [Int: Plan]()) { $0[$1.0] = $1.1 }
        }
        for index in 0..<12 {
            #expect(plans[index]?.tokens == expected[index].tokens)
            #expect(plans[index]?.score == expected[index].score)
        }
    }

    @Test func `a plan holds actions, predictions and the beam`() throws {
        let planner = try planner()
        let plan = try planner.plan(context: planner.context(), observation: [1.2, 3.4])
        #expect(plan.actions.count == 4 && plan.actions[0].count == 1)
        #expect(plan.observations[0] == [1.5, 3.5])
        #expect(plan.rewards.count == 4 && plan.values.count == 4)
        #expect(plan.candidates.count == 8 && plan.candidates[0].tokens == plan.tokens)
        #expect(plan.candidates.map(\.score) == plan.candidates.map(\.score).sorted(by: >))
        let likely = try self.planner { $0.objective = .likelihood }
        #expect(
            try likely.plan(context: likely.context(), observation: [1, 1]).candidates.count == 8)
    }

    @Test func `several situations are planned from together as alone, whatever their pasts`()
        throws
    {
        for objective in PlannerOptions.Objective.allCases {
            let planner = try planner { $0.objective = objective }
            var situations: [Planner.Situation] = []
            var context = planner.context()
            for index in 0..<5 {
                situations.append(
                    Planner.Situation(
                        context: context, observation: [Double(index), 3], seed: UInt64(index / 2)))
                if index.isMultiple(of: 2) {
                    try context.append(observation: [1, 2], action: [3], reward: 4)
                }
            }
            let together = try planner.plan(situations)
            #expect(together.count == 5)
            for (plan, situation) in zip(together, situations) {
                let alone = try planner.plan(
                    context: situation.context, observation: situation.observation,
                    seed: situation.seed)
                #expect(plan.tokens == alone.tokens && plan.score == alone.score)
                #expect(plan.candidates == alone.candidates)
            }
        }
        #expect(try planner().plan([]).isEmpty)
    }

    @Test func `a deadline makes a planner search less, and is kept from plan to plan`() throws {
        let planner = try planner { $0.deadlineMilliseconds = 0.001 }
        for _ in 0..<2 {
            let plan = try planner.plan(context: planner.context(), observation: [1, 2])
            #expect(plan.statistics.horizon == 1 && plan.statistics.beamWidth == 1)
            #expect(plan.candidates.count == 1)
        }
        let patient = try self.planner { $0.deadlineMilliseconds = 1e7 }
        #expect(
            try patient.plan(context: patient.context(), observation: [1, 2]).tokens.count == 4)
    }

    @Test func `goal columns and discount are the checkpoint's, unless options have another`()
        throws
    {
        var configuration = TransformerConfiguration(layout: layout)
        configuration.binCount = 10
        configuration.goalDimension = 1
        var settings = TokenizedDataset.Settings()
        settings.goalColumns = [1]
        settings.discount = 0.7
        let checkpoint = Checkpoint(
            model: TrajectoryTransformer(configuration, seed: 1), discretizer: discretizer,
            tokenization: settings)
        let planner = try Planner(checkpoint: checkpoint, engine: .cpu)
        #expect(planner.goalColumns == [1] && planner.options.discount == 0.7)
        #expect(planner.context().goalColumns == [1])
        var options = PlannerOptions()
        options.discount = 0.8
        #expect(
            try Planner(checkpoint: checkpoint, options: options, engine: .cpu).options.discount
                == 0.8)
        #expect(try self.planner().options.discount == 0.99)
    }

    @Test func `options of a closed loop are refused, not ignored`() {
        for (name, change) in [
            ("warmStart", { $0.warmStart = true }), ("replanInterval", { $0.replanInterval = 2 }),
        ] as [(String, (inout PlannerOptions) -> Void)] {
            let error = #expect(throws: PlannerOptionsError.self) { try planner(change) }
            #expect(error?.option == name)
        }
    }

    @Test func `a cancelled task stops planning`() async throws {
        for objective in PlannerOptions.Objective.allCases {
            let planner = try planner { $0.objective = objective }
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try planner.plan(context: planner.context(), observation: [1, 1])
            }
            task.cancel()
            let error = await #expect(throws: PlanningError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `a question that says so stops planning outside of tasks`() throws {
        for objective in PlannerOptions.Objective.allCases {
            let planner = try planner { $0.objective = objective }
            let asked = Atomic<Int>(0)
            let error = #expect(throws: PlanningError.self) {
                try SearchInterruption.watching({
                    asked.add(1, ordering: .relaxed).newValue == 3
                }) { try planner.plan(context: planner.context(), observation: [1, 1]) }
            }
            // At the third token, not only before the search.
            #expect(error?.code == .cancelled && asked.load(ordering: .relaxed) == 3)
            // The question ends with its closure.
            _ = try planner.plan(context: planner.context(), observation: [1, 1])
            #expect(asked.load(ordering: .relaxed) == 3)
        }
    }

    @Test func `a search that has no time left stops with what it has`() throws {
        let model = HashedModel(layout: layout, vocabularySize: 11, contextLength: 49, seed: 3)
        var options = PlannerOptions()
        options.horizon = 6
        options.beamWidth = 4
        let planner = try BeamPlanner(model: model, discretizer: discretizer, options: options)
        func plan(deadline: ContinuousClock.Instant?) throws -> Plan {
            var uniforms = [SeededUniforms(seed: 1)]
            return try planner.plan(
                [.init(context: [1, 2])], uniforms: &uniforms, deadline: deadline,
                keepsCandidates: true)[0]
        }
        let late = try plan(deadline: .now)
        #expect(late.tokens.count == 1 && late.statistics.horizon == 1)
        #expect(late.rewards.count == 1 && late.actions.count == 1)
        #expect(late.candidates.allSatisfy { $0.tokens.count == 1 })
        let whole = try plan(deadline: .now + .seconds(1000))
        #expect(whole.tokens == (try plan(deadline: nil)).tokens && whole.tokens.count == 6)
        // The first transition was chosen as a search of one transition chooses it.
        options.horizon = 1
        let short = try BeamPlanner(model: model, discretizer: discretizer, options: options)
        var uniforms = SeededUniforms(seed: 1)
        #expect(try short.plan(context: [1, 2], uniforms: &uniforms).tokens == late.tokens)
    }

    @Test func `under a deadline searches grow to what fits, and shrink when they are late`() {
        var pacer = SearchPacer(largest: SearchSize(horizon: 15, beamWidth: 128), limit: 0.1)
        #expect(
            pacer.ladder.map { [$0.horizon, $0.beamWidth] } == [
                [1, 1], [2, 2], [2, 3], [3, 4], [3, 6], [4, 8], [5, 12], [5, 16], [6, 24], [8, 32],
                [9, 48], [11, 64], [13, 96], [15, 128],
            ])
        #expect(!pacer.hasMeasured)
        // A machine that takes 0.1 ms for each row and transition.
        func seconds(_ size: SearchSize) -> Double { 1e-4 * size.work }
        pacer.record(pacer.ladder[0], seconds: seconds(pacer.ladder[0]))
        for _ in 0..<9 { pacer.record(pacer.size, seconds: seconds(pacer.size)) }
        #expect(pacer.size == SearchSize(horizon: 11, beamWidth: 64))
        // Late again and again: smaller ones.
        for _ in 0..<5 { pacer.recordLate(SearchSize(horizon: 11, beamWidth: 64)) }
        #expect(pacer.size == SearchSize(horizon: 9, beamWidth: 48))
        // In time ever since: they are tried again.
        for _ in 0..<300 { pacer.record(pacer.size, seconds: seconds(pacer.size)) }
        #expect(pacer.size == SearchSize(horizon: 11, beamWidth: 64))
        var slow = SearchPacer(largest: SearchSize(horizon: 5, beamWidth: 4), limit: 1e-6)
        slow.record(slow.ladder[0], seconds: 1)
        #expect(slow.size == slow.ladder[0])
    }

    @Test func `a controller under a deadline plans smaller, and says so`() throws {
        let model = HashedModel(layout: layout, vocabularySize: 11, contextLength: 49, seed: 3)
        var options = PlannerOptions()
        options.deadlineMilliseconds = 0.001
        var controller = try Controller(
            model: model, discretizer: discretizer, actionLimits: [0...10], options: options)
        controller.reset(seed: 1)
        let plan = try #require(try controller.act(on: [1, 2]).plan)
        #expect(plan.statistics.horizon == 1 && plan.statistics.beamWidth == 1)
        options.deadlineMilliseconds = 1e6
        options.horizon = 3
        options.beamWidth = 4
        controller = try Controller(
            model: model, discretizer: discretizer, actionLimits: [0...10], options: options)
        controller.reset(seed: 1)
        let whole = try #require(try controller.act(on: [1, 2]).plan)
        #expect(whole.statistics.horizon == 3 && whole.statistics.beamWidth == 4)
        // Finding out how fast the machine is takes no random numbers from the plan.
        options.deadlineMilliseconds = nil
        controller = try Controller(
            model: model, discretizer: discretizer, actionLimits: [0...10], options: options)
        controller.reset(seed: 1)
        #expect(try controller.act(on: [1, 2]).plan?.tokens == whole.tokens)
    }

    @Test func `a suggested plan is found where sampling would hardly find it`() throws {
        // Only actions 9, 9, 9 are worth anything, and each has a chance of one in a thousand.
        let model = TableModel(layout: layout, vocabularySize: 11) { path in
            func peak(_ token: Int, _ mass: Float) -> [Float] {
                (0..<11).map { $0 == token ? mass : (1 - mass) / 10 }
            }
            switch path.count % 5 {
            case 2:
                return (0..<11).map { $0 == 9 ? 0.001 : $0 == 10 ? 0 : 0.999 / 9 }
            case 3: return peak(path[path.count - 1] == 9 ? 9 : 0, 0.99)
            default: return peak(0, 0.99)
            }
        }
        var options = PlannerOptions()
        options.horizon = 3
        options.beamWidth = 4
        options.actionCDF = nil
        let planner = try BeamPlanner(model: model, discretizer: discretizer, options: options)
        func actions(_ suggested: [[Int]]) throws -> [Int] {
            var uniforms = [SeededUniforms(seed: 5)]
            return try planner.plan(
                [.init(context: [0, 0], suggestedActions: suggested)], uniforms: &uniforms)[0]
                .tokens.map { $0[2] }
        }
        #expect(try !actions([]).contains(9))
        #expect(try actions([[9], [9], [9]]) == [9, 9, 9])
        #expect(try actions([[9], [9]]).prefix(2) == [9, 9])
        // A suggestion that is worth less than what was sampled is dropped.
        #expect(try actions([[9], [1], [1]])[0] == 9)
    }
}
