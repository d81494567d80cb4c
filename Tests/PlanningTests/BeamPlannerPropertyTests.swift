import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories

@Suite struct BeamPlannerPropertyTests {
    /// A small random problem: sizes, options, bins and context.
    private struct Problem {
        let model: HashedModel
        let discretizer: Discretizer
        let options: PlannerOptions
        let context: [Int]

        init(seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed)
            func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
            let layout = TransitionLayout(
                observationDimension: number(1...3), actionDimension: number(1...2))
            let dimension = layout.transitionDimension
            let bins = number(3...6)
            model = HashedModel(
                layout: layout, vocabularySize: bins + 1,
                contextLength: number(2...6) * dimension - 1, seed: seed)
            let values = (0..<(bins * bins * dimension)).map { _ in
                Double.random(in: -1...1, using: &generator)
            }
            discretizer = try Discretizer(
                quantilesOf: values, dimension: dimension, binCount: bins)
            func maybe(_ count: Int) -> Int? { number(0...1) == 0 ? nil : count }
            func mass() -> Double? {
                number(0...1) == 0 ? nil : Double.random(in: 0.05...0.95, using: &generator)
            }
            var options = PlannerOptions()
            options.horizon = number(1...5)
            options.beamWidth = number(1...6)
            options.expansionFactor = number(1...3)
            options.observationTopK = maybe(number(1...3))
            options.actionTopK = maybe(number(1...3))
            options.rewardTopK = maybe(number(1...2))
            options.observationCDF = mass()
            options.actionCDF = mass()
            options.rewardCDF = mass()
            options.readout =
                number(0...1) == 0
                ? .mean : .percentile(.random(in: 0.1...0.9, using: &generator))
            options.contextTransitions = number(2...5)
            options.temperature = number(0...1) == 0 ? 1 : 0.7
            options.window = number(0...1) == 0 ? .exact : .cached
            options.cdfRule = number(0...1) == 0 ? .careful : .authors
            self.options = options
            context = (0..<(number(0...6) * dimension + layout.observationDimension)).map { _ in
                number(0...(bins - 1))
            }
        }
    }

    @Test(arguments: UInt64(1)...60)
    func `the planner finds what a planner without tree and cache finds`(_ seed: UInt64) throws {
        let problem = try Problem(seed: seed)
        let naive = NaivePlanner(
            model: problem.model, discretizer: problem.discretizer, options: problem.options)
        var uniforms = SeededUniforms(seed: seed)
        let expected = naive.plan(context: problem.context, uniforms: &uniforms)

        let planner = try BeamPlanner(
            model: problem.model, discretizer: problem.discretizer, options: problem.options)
        uniforms = SeededUniforms(seed: seed)
        let plan = try planner.plan(
            context: problem.context, uniforms: &uniforms, keepsCandidates: true)
        #expect(
            plan.candidates.map { $0.tokens.flatMap(\.self) } == expected.beam.map(\.tokens),
            "seed \(seed)")
        #expect(
            absoluteError(plan.candidates.map(\.score), expected.beam.map(\.score)) < 1e-5,
            "seed \(seed)")
        #expect(plan.tokens == plan.candidates[0].tokens && plan.score == plan.candidates[0].score)

        // Every distinct prefix once, and no output that nobody reads.
        let statistics = plan.statistics
        problem.model.settle()
        #expect(problem.model.repeatedNodes == 0, "seed \(seed)")
        #expect(problem.model.unreadOutputs == 0, "seed \(seed)")
        #expect(statistics.nodesComputed == problem.model.computedNodes, "seed \(seed)")
        #expect(statistics.tokensForwardedNaively == expected.forwarded, "seed \(seed)")
    }

    @Test func `the same seed gives the same plan, another seed another`() throws {
        let problem = try Problem(seed: 11)
        var options = problem.options
        options.actionTopK = nil
        options.actionCDF = nil
        options.horizon = 5
        let planner = try BeamPlanner(
            model: problem.model, discretizer: problem.discretizer, options: options)
        func tokens(_ seed: UInt64) throws -> [[Int]] {
            var uniforms = SeededUniforms(seed: seed)
            return try planner.plan(context: problem.context, uniforms: &uniforms).tokens
        }
        #expect(try tokens(1) == tokens(1))
        #expect(try (2...9).contains { try tokens($0) != tokens(1) })
    }

    @Test func `planning itself takes a small part of a second at the size of Hopper`() throws {
        let layout = TransitionLayout(observationDimension: 11, actionDimension: 3)
        let model = HashedModel(
            layout: layout, vocabularySize: 101, contextLength: 159, seed: 1, keepsAccount: false)
        var generator = SeededGenerator(seed: 2)
        let values = (0..<(10_000 * 16)).map { _ in Double.random(in: -1...1, using: &generator) }
        let discretizer = try Discretizer(quantilesOf: values, dimension: 16, binCount: 100)
        let context = (0..<75).map { _ in Int.random(in: 0..<100, using: &generator) }
        let planner = try BeamPlanner(model: model, discretizer: discretizer)
        let times = try (0..<3).map { seed in
            var uniforms = SeededUniforms(seed: UInt64(seed))
            let statistics = try planner.plan(context: context, uniforms: &uniforms).statistics
            print("planning without the model:", statistics)
            return statistics.seconds - statistics.modelSeconds
        }
        // 0.06 s on a quiet core; the bound leaves room for busy machines.
        #expect((times.min() ?? .infinity) < 0.6)
    }
}
