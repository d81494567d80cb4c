import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// Plans for several situations at once.
@Suite struct BatchPlanningTests {
    /// Plans for `count` random contexts, together and one after the other.
    private func check(
        _ model: any PrefixTreeModel, options: PlannerOptions, count: Int, seed: UInt64
    ) throws {
        var generator = SeededGenerator(seed: seed)
        let layout = model.layout
        let dimension = layout.transitionDimension
        let bins = model.vocabularySize - 1
        let values = (0..<(bins * bins * dimension)).map { _ in
            Double.random(in: -1...1, using: &generator)
        }
        let discretizer = try Discretizer(
            quantilesOf: values, dimension: dimension, binCount: bins)
        let planner = try BeamPlanner(model: model, discretizer: discretizer, options: options)
        let past = Int.random(in: 0...4, using: &generator)
        let requests = (0..<count).map { index in
            BeamPlanner.Request(
                context: (0..<(past * dimension + layout.observationDimension)).map { _ in
                    Int.random(in: 0..<bins, using: &generator)
                },
                suggestedActions: index.isMultiple(of: 2)
                    ? [] : [layout.actionRange.map { _ in bins - 1 }])
        }
        var sources = (0..<count).map { SeededUniforms(seed: seed + UInt64($0)) }
        let together = try planner.plan(requests, uniforms: &sources, keepsCandidates: true)
        for (index, request) in requests.enumerated() {
            var source = [SeededUniforms(seed: seed + UInt64(index))]
            let alone = try planner.plan([request], uniforms: &source, keepsCandidates: true)[0]
            var other = together[index]
            #expect(other.statistics.plans == count && alone.statistics.plans == 1)
            other.statistics = alone.statistics
            // Bit for bit: scores, tokens and candidates.
            #expect(other == alone, "seed \(seed), request \(index)")
            #expect(source[0].next() == sources[index].next())
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `likeliest plans made together are those made alone`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
        let layout = TransitionLayout(
            observationDimension: number(1...3), actionDimension: number(1...2))
        let bins = number(3...6)
        let model = HashedModel(
            layout: layout, vocabularySize: bins + 1,
            contextLength: number(2...6) * layout.transitionDimension - 1, seed: seed)
        var options = PlannerOptions()
        options.objective = .likelihood
        options.horizon = number(1...4)
        // Wider than there are tokens: beams grow over several steps.
        options.beamWidth = number(1...20)
        options.likelihoodTopK = Bool.random(using: &generator) ? 2 : nil
        let discretizer = try Discretizer(
            quantilesOf: (0..<(bins * bins * layout.transitionDimension)).map { _ in
                Double.random(in: -1...1, using: &generator)
            }, dimension: layout.transitionDimension, binCount: bins)
        let planner = try LikelihoodPlanner(
            model: model, discretizer: discretizer, options: options)
        let count = number(2...5)
        let past = number(0...4)
        let requests = (0..<count).map { _ in
            BeamPlanner.Request(
                context: (0..<(past * layout.transitionDimension + layout.observationDimension))
                    .map { _ in number(0...(bins - 1)) })
        }
        let together = try planner.plan(requests, keepsCandidates: true)
        for (request, var other) in zip(requests, together) {
            let alone = try planner.plan([request], keepsCandidates: true)[0]
            #expect(other.statistics.plans == count && alone.statistics.plans == 1)
            other.statistics = alone.statistics
            #expect(other == alone, "seed \(seed)")
        }
    }

    @Test func `a search for likelihood refuses suggested actions and contexts of two lengths`()
        throws
    {
        let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
        let planner = try LikelihoodPlanner(
            model: HashedModel(layout: layout, vocabularySize: 4, contextLength: 7, seed: 1),
            discretizer: Discretizer(
                quantilesOf: (0..<12).map(Double.init), dimension: 4, binCount: 3),
            options: PlannerOptions())
        for (requests, word) in [
            ([BeamPlanner.Request(context: [0], suggestedActions: [[1]])], "suggested"),
            (
                [
                    BeamPlanner.Request(context: [0]),
                    BeamPlanner.Request(context: [0, 0, 0, 0, 1]),
                ], "lengths"
            ),
        ] {
            let error = #expect(throws: PlanningError.self) { try planner.plan(requests) }
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `plans made together are those made alone`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
        let layout = TransitionLayout(
            observationDimension: number(1...3), actionDimension: number(1...2))
        let model = HashedModel(
            layout: layout, vocabularySize: number(3...6) + 1,
            contextLength: number(2...6) * layout.transitionDimension - 1, seed: seed)
        var options = PlannerOptions()
        options.horizon = number(1...4)
        options.beamWidth = number(1...5)
        options.expansionFactor = number(1...3)
        options.contextTransitions = number(2...4)
        options.window = number(0...1) == 0 ? .exact : .cached
        try check(model, options: options, count: number(2...4), seed: seed)
        #expect(model.repeatedNodes == 0 && model.unreadOutputs == 0)
    }

    @Test func `the transformer gives the same logits whatever it computes with them`() throws {
        var options = PlannerOptions()
        options.horizon = 4
        options.beamWidth = 6
        options.contextTransitions = 2
        let configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 3, actionDimension: 2))
        let model = TrajectoryTransformer(configuration, seed: 5)
        for workers in [1, 2] {
            try check(
                CPUEngine(workers: workers).prefixDecoder(model), options: options, count: 3,
                seed: 8)
        }
    }

    @Test func `controllers together decide as they do alone, with pasts of different length`()
        throws
    {
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let discretizer = unitBins(4, dimension: 5)
        var options = PlannerOptions()
        options.horizon = 3
        options.beamWidth = 4
        options.contextTransitions = 3
        options.replanInterval = 2
        options.warmStart = true
        func controller(_ seed: UInt64) throws -> Controller {
            let model = HashedModel(layout: layout, vocabularySize: 5, contextLength: 19, seed: 4)
            var controller = try Controller(
                model: model, discretizer: discretizer, actionLimits: [0...4], options: options)
            controller.reset(seed: seed)
            return controller
        }
        func observation(_ lane: Int, _ step: Int) -> [Double] {
            [Double((3 * step + lane) % 5) * 0.8, Double((step * step + lane) % 4)]
        }
        var alone = try (0..<3).map { try controller(UInt64($0)) }
        var together = try (0..<3).map { try controller(UInt64($0)) }
        for step in 0..<8 {
            // The last one starts over in the middle.
            if step == 3 {
                alone[2].reset(seed: 9)
                together[2].reset(seed: 9)
            }
            let observations = (0..<3).map { observation($0, step) }
            let decisions = try Controller.act(&together, on: observations)
            for lane in 0..<3 {
                let expected = try alone[lane].act(on: observations[lane])
                #expect(decisions[lane].action == expected.action)
                #expect(decisions[lane].plan?.tokens == expected.plan?.tokens)
                try alone[lane].receive(reward: Double(lane))
                try together[lane].receive(reward: Double(lane))
            }
        }
    }
}
