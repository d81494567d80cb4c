import Foundation
import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// Planning with a model that is conditioned on a goal.
@Suite struct GoalPlanningTests {
    private let layout = TransitionLayout(observationDimension: 3, actionDimension: 1)
    private let goalColumns = [2, 0]

    private var discretizer: Discretizer { unitBins(8, dimension: 6) }

    /// The most likely sequences, with a whole forward pass for every row and no cache.
    private func naiveSearch(
        _ model: TrajectoryTransformer, prefix: [Int], goal: [Int], steps: Int, width: Int,
        limit: Int
    ) throws -> [(tokens: [Int], score: Double)] {
        let whole = CPUTransformer(model)
        var beam = [(tokens: prefix, score: 0.0)]
        for _ in 0..<steps {
            var candidates: [(tokens: [Int], score: Double)] = []
            for (tokens, score) in beam {
                let excess = max(0, tokens.count - limit)
                let dropped = (excess + 5) / 6 * 6
                let logits =
                    try whole.logits(Array(tokens.dropFirst(dropped)), goal: goal).last ?? []
                let logSum = log(logits.reduce(0) { $0 + exp(Double($1)) })
                for (token, logit) in logits.enumerated() {
                    candidates.append((tokens + [token], score + Double(logit) - logSum))
                }
            }
            beam = Array(candidates.sorted { $0.score > $1.score }.prefix(width))
        }
        return beam
    }

    @Test(arguments: [PlannerOptions.Window.exact, .cached])
    func `a search behind a goal is the one without cache, where the window slides too`(
        window: PlannerOptions.Window
    ) throws {
        var generator = SeededGenerator(seed: 12)
        print("seed 12")
        let model = try prefixedModel(layout, seed: 2)
        let decoder = CPUEngine.cpu.prefixDecoder(model)
        var options = PlannerOptions()
        options.beamWidth = 3
        options.contextTransitions = 2
        options.window = window
        let planner = try LikelihoodPlanner(
            model: decoder, discretizer: discretizer, options: options)
        var found: Set<[Int]> = []
        let context = (0..<9).map { _ in Int.random(in: 0..<8, using: &generator) }
        for goal in [[0, 7], [5, 2], [0, 7], [3, 3]] {
            let beam = try planner.search(prefix: context, goal: goal, steps: 27)
            if window == .exact {
                #expect(beam.statistics.windowsRebuilt > 2)
                let expected = try naiveSearch(
                    model, prefix: context, goal: goal, steps: 27, width: 3, limit: 11)
                #expect(beam.tokens == expected.map(\.tokens))
                #expect(absoluteError(beam.logProbabilities, expected.map(\.score)) < 1e-3)
            } else {
                #expect(beam.statistics.windowsRebuilt > 0)
                // Up to the model's 23 tokens nothing slides.
                let early = try planner.search(prefix: context, goal: goal, steps: 14)
                let expected = try naiveSearch(
                    model, prefix: context, goal: goal, steps: 14, width: 3, limit: 23)
                #expect(early.tokens == expected.map(\.tokens))
            }
            found.insert(beam.tokens[0])
        }
        #expect(found.count == 3)
    }

    @Test(arguments: [1, 2])
    func `plans for several goals made together are those made alone`(workers: Int) throws {
        var generator = SeededGenerator(seed: 8)
        print("seed 8")
        var options = PlannerOptions()
        options.horizon = 4
        options.beamWidth = 5
        options.contextTransitions = 2
        let planner = try BeamPlanner(
            model: CPUEngine(workers: workers).prefixDecoder(prefixedModel(layout, seed: 7)),
            discretizer: discretizer,
            options: options)
        let context = (0..<15).map { _ in Int.random(in: 0..<8, using: &generator) }
        // The same past everywhere, so that goals alone tell the rows apart.
        let requests = [[1, 2], [7, 0], [1, 2], [4, 4]].map {
            BeamPlanner.Request(context: context, goal: $0)
        }
        var sources = requests.indices.map { SeededUniforms(seed: UInt64($0 % 2)) }
        let together = try planner.plan(requests, uniforms: &sources, keepsCandidates: true)
        for (index, request) in requests.enumerated() {
            var source = [SeededUniforms(seed: UInt64(index % 2))]
            let alone = try planner.plan([request], uniforms: &source, keepsCandidates: true)[0]
            var other = together[index]
            other.statistics = alone.statistics
            #expect(other == alone, "request \(index)")
        }
        #expect(together[0].tokens == together[2].tokens)
        #expect(Set(together.map(\.tokens)).count == 3)
    }

    @Test(arguments: [PlannerOptions.Objective.expectedReturn, .likelihood])
    func `controllers with goals of their own decide together as they do alone`(
        objective: PlannerOptions.Objective
    ) throws {
        let model = try prefixedModel(layout, seed: 3)
        var options = PlannerOptions()
        options.objective = objective
        options.horizon = 2
        options.beamWidth = 4
        options.contextTransitions = 2
        options.replanInterval = 2
        let decoder = CPUEngine.cpu.prefixDecoder(model)
        func controller(_ seed: UInt64) throws -> Controller {
            var controller = try Controller(
                model: decoder, discretizer: discretizer, actionLimits: [0...8],
                goalColumns: goalColumns, options: options)
            controller.reset(seed: seed)
            try controller.setGoal([Double(seed) * 3, 7.5])
            return controller
        }
        var alone = try (0..<3).map { try controller(UInt64($0)) }
        var together = try (0..<3).map { try controller(UInt64($0)) }
        for step in 0..<7 {
            if step == 3 {
                // Another episode; and in the middle of a plan another goal.
                alone[1].reset(seed: 5)
                together[1].reset(seed: 5)
                try alone[2].setGoal([0.5, 0.5])
                try together[2].setGoal([0.5, 0.5])
            }
            let observations = (0..<3).map { [Double((step + $0) % 8), 1, Double(step)] }
            let decisions = try Controller.act(&together, on: observations)
            for lane in 0..<3 {
                let expected = try alone[lane].act(on: observations[lane])
                #expect(decisions[lane].action == expected.action)
                #expect(decisions[lane].plan?.tokens == expected.plan?.tokens)
                if step == 3 { #expect((expected.plan == nil) == (lane == 0)) }
                try alone[lane].receive(reward: 1)
                try together[lane].receive(reward: 1)
            }
        }
    }

    @Test func `a program sets the goal in the context, in the observation's units`() throws {
        var options = PlannerOptions()
        options.objective = .likelihood
        options.horizon = 2
        options.beamWidth = 2
        let planner = try Planner(
            model: prefixedModel(layout, seed: 2), discretizer: discretizer,
            goalColumns: goalColumns,
            options: options, engine: .cpu)
        var context = planner.context()
        let missing = #expect(throws: PlanningError.self) {
            try planner.plan(context: context, observation: [1, 2, 3])
        }
        #expect(missing?.description.contains("goal") == true)
        try context.setGoal([6.2, 99])
        #expect(context.goal == [6, 7])
        let plan = try planner.plan(context: context, observation: [1, 2, 3])
        context.removeAll()
        #expect(context.goal == [6, 7])
        let expected = try LikelihoodPlanner(
            model: CPUEngine.cpu.decoder(planner.model), discretizer: discretizer, options: options
        ).plan(context: [1, 2, 3], goal: [6, 7])
        #expect(plan.tokens == expected.tokens)
    }

    @Test func `goal columns that the model was not trained with are refused`() throws {
        for columns in [[], [0], [0, 1, 2], [0, 3]] {
            let error = #expect(throws: PlanningError.self) {
                try Planner(
                    model: prefixedModel(layout, seed: 2), discretizer: discretizer,
                    goalColumns: columns,
                    engine: .cpu)
            }
            #expect(error?.code == .mismatch)
        }
    }
}
