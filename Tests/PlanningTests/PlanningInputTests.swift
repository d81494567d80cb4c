import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// What a user, a client or a device can get wrong.
@Suite struct PlanningInputTests {
    private let layout = SmallPlanner.layout
    private var discretizer: Discretizer { SmallPlanner.discretizer }

    @Test func `input that does not fit the model is refused, and the planner goes on`() throws {
        let planner = try SmallPlanner.make()
        var context = planner.context()
        func refused(_ body: () throws -> Void) -> PlanningError.Code? {
            #expect(throws: PlanningError.self) { try body() }?.code
        }
        for observation in [[], [1], [1, 2, 3], [.nan, 1], [1, .infinity]] as [[Double]] {
            #expect(
                refused { _ = try planner.plan(context: context, observation: observation) }
                    == .input)
        }
        #expect(
            refused { try context.append(observation: [1], action: [3], reward: 4) } == .input)
        #expect(
            refused { try context.append(observation: [1, 2], action: [], reward: 4) } == .input)
        #expect(
            refused { try context.append(observation: [1, 2], action: [.nan], reward: 4) }
                == .input)
        #expect(
            refused { try context.append(observation: [1, 2], action: [3], reward: -.infinity) }
                == .input)
        #expect(refused { try context.setGoal([1]) } == .input)
        #expect(context.transitions.isEmpty)
        let other = try Discretizer(
            uniformOver: [0, 1].flatMap { Array(repeating: $0, count: 5) }, dimension: 5,
            binCount: 10)
        let foreign = PlanningContext(layout: layout, discretizer: other, limit: 5)
        #expect(
            refused { _ = try planner.plan(context: foreign, observation: [1, 2]) } == .mismatch)
        #expect(try planner.plan(context: context, observation: [1, 2]).actions.count == 4)
    }

    @Test func `tokens that there are not, and contexts of no whole transitions, are refused`()
        throws
    {
        let model = HashedModel(layout: layout, vocabularySize: 11, contextLength: 49, seed: 3)
        let beam = try BeamPlanner(model: model, discretizer: discretizer)
        let likelihood = try LikelihoodPlanner(model: model, discretizer: discretizer)
        let open = try OpenLoopPredictor(
            model: model, discretizer: discretizer, options: .init(contextTransitions: 3))
        for context in [[1], [1, 11], [-1, 2], [1, 2, 3]] {
            var uniforms = SeededUniforms(seed: 1)
            let errors = [
                #expect(throws: PlanningError.self) {
                    try beam.plan(context: context, uniforms: &uniforms)
                },
                #expect(throws: PlanningError.self) { try likelihood.plan(context: context) },
                #expect(throws: PlanningError.self) {
                    try open.predict([.init(context: context, actions: nil)], horizon: 1)
                },
            ]
            #expect(errors.allSatisfy { $0?.code == .input }, "\(context)")
        }
        for actions in [[], [[1, 2]], [[.nan]]] as [[[Double]]] {
            let error = #expect(throws: PlanningError.self) {
                try open.predict([.init(context: [1, 2], actions: actions)], horizon: 1)
            }
            #expect(error?.code == .input)
        }
        var sources = [SeededUniforms(seed: 1)]
        let suggestion = #expect(throws: PlanningError.self) {
            try beam.plan(
                [.init(context: [1, 2], suggestedActions: [[12]])], uniforms: &sources)
        }
        #expect(suggestion?.code == .input)
    }

    /// An engine whose decoders fail after so many calls.
    private struct FailingEngine: Engine {
        let calls: Int
        let name = "failing"

        final class Decoder: PrefixTreeModel {
            let base: any PrefixTreeModel
            var left: Int

            init(_ base: any PrefixTreeModel, calls: Int) {
                self.base = base
                left = calls
            }
            var layout: TransitionLayout { base.layout }
            var vocabularySize: Int { base.vocabularySize }
            var contextLength: Int { base.contextLength }
            func removeAll() throws(EngineError) { try base.removeAll() }
            func extend(_ nodes: [PrefixNode]) throws(EngineError) -> Range<Int> {
                left -= 1
                guard left >= 0 else {
                    throw EngineError(code: .failed, engine: "failing", detail: "it is gone")
                }
                return try base.extend(nodes)
            }
            func withLogits<Result>(
                of node: Int, _ body: (Span<Float>) throws -> Result
            ) rethrows -> Result { try base.withLogits(of: node, body) }
        }

        func training(
            _ model: TrajectoryTransformer, options: TrainingEngineOptions
        ) throws(EngineError) -> any TrainingEngine {
            throw EngineError(code: .unsupported, engine: name, detail: "it does not train")
        }
        func decoder(
            _ model: TrajectoryTransformer
        ) throws(EngineError) -> any PrefixTreeModel {
            Decoder(try CPUEngine.cpu.decoder(model), calls: calls)
        }
    }

    @Test func `an engine that fails ends the plan, and the next one is made by a new decoder`()
        throws
    {
        var configuration = TransformerConfiguration(layout: layout)
        configuration.binCount = 10
        var options = PlannerOptions()
        options.horizon = 2
        options.beamWidth = 4
        // Enough for one plan (a call for each of its tokens), not for two.
        let planner = try Planner(
            model: TrajectoryTransformer(configuration, seed: 1), discretizer: discretizer,
            options: options, engine: FailingEngine(calls: 12))
        let first = try planner.plan(context: planner.context(), observation: [1, 2])
        let error = #expect(throws: PlanningError.self) {
            try planner.plan(context: planner.context(), observation: [1, 2])
        }
        #expect(error?.code == .engine)
        #expect(error?.description == "cannot plan: cannot compute on failing: it is gone")
        let third = try planner.plan(context: planner.context(), observation: [1, 2])
        #expect(third.tokens == first.tokens)
    }

    @Test
    func `a controller refuses what it cannot observe, and decides afterwards as if never asked`()
        throws
    {
        func make() throws -> Controller {
            let model = HashedModel(layout: layout, vocabularySize: 11, contextLength: 49, seed: 3)
            var options = PlannerOptions()
            options.horizon = 2
            options.beamWidth = 4
            options.replanInterval = 2
            var controller = try Controller(
                model: model, discretizer: discretizer, actionLimits: [0...10], options: options)
            controller.reset(seed: 1)
            return controller
        }
        var (asked, plain) = (try make(), try make())
        for _ in 0..<3 {
            for observation in [[1], [.nan, 2]] as [[Double]] {
                let error = #expect(throws: PlanningError.self) {
                    try asked.act(on: observation)
                }
                #expect(error?.code == .input)
            }
            let (decision, expected) = (try asked.act(on: [1, 2]), try plain.act(on: [1, 2]))
            #expect(decision.action == expected.action)
            #expect(decision.plan?.tokens == expected.plan?.tokens)
            #expect(throws: PlanningError.self) { try asked.receive(reward: .nan) }
            try asked.receive(reward: 1)
            try plain.receive(reward: 1)
        }
    }
}
