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
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    private var discretizer: Discretizer {
        Discretizer(
            strategy: .uniform, edges: (0...10).flatMap { Array(repeating: Double($0), count: 5) },
            dimension: 5, binCount: 10)
    }

    private func planner(_ change: (inout PlannerOptions) -> Void = { _ in }) throws -> Planner {
        var configuration = TransformerConfiguration(layout: layout)
        configuration.binCount = 10
        var options = PlannerOptions()
        options.horizon = 4
        options.beamWidth = 8
        change(&options)
        return try Planner(
            model: TrajectoryTransformer(configuration, seed: 1), discretizer: discretizer,
            options: options, critic: BinaryCritic(), engine: .cpu)
    }

    @Test func `plans on several threads are those made one after the other`() async throws {
        let planner = try planner()
        var context = planner.context()
        context.append(observation: [1, 2], action: [3], reward: 4)
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
