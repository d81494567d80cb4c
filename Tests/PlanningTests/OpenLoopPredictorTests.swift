import Planning
import Synchronization
import Testing
import Tokenization
import Trajectories

@Suite struct OpenLoopPredictorTests {
    /// Two bins a dimension, centres 0.5 and 1.5.
    private let discretizer = unitBins(2, dimension: 4)

    /// The next observation is the sum of the last one and the action, modulo 2; own actions are 1.
    private func model(_ longest: Longest? = nil) -> TableModel {
        TableModel { path in
            longest?.note(path.count)
            func certain(_ token: Int) -> [Float] {
                (0..<3).map { $0 == token ? 1 : 1e-30 }
            }
            switch path.count % 4 {
            case 0: return certain((path[path.count - 4] + path[path.count - 3]) % 2)
            case 1: return certain(1)
            default: return certain(0)
            }
        }
    }

    private final class Longest: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func note(_ length: Int) { value.withLock { $0 = max($0, length) } }
    }

    private func predictor(_ model: TableModel, context: Int = 3, samples: Int = 2) throws
        -> OpenLoopPredictor
    {
        var options = OpenLoopPredictor.Options(contextTransitions: context)
        options.samples = samples
        return try OpenLoopPredictor(model: model, discretizer: discretizer, options: options)
    }

    private let actions = [1.5, 0.5, 1.5, 1.5, 0.5, 1.5].map { [$0] }

    @Test(arguments: [2, 3]) func `given actions are followed`(context: Int) throws {
        let predictions = try predictor(model(), context: context).predict(
            [.init(context: [0], actions: actions), .init(context: [1], actions: actions)],
            horizon: 6)
        // Bins 0 + 1, + 0, + 1, + 1, + 0, + 1 modulo 2.
        let first = [1.5, 1.5, 0.5, 1.5, 1.5, 0.5].map { [$0] }
        let second = first.map { [2 - $0[0]] }
        #expect(predictions == [[first, first], [second, second]])
    }

    @Test func `actions that are not given are the model's own`() throws {
        let predictions = try predictor(model(), samples: 1).predict(
            [.init(context: [0], actions: nil), .init(context: [0], actions: actions)], horizon: 3)
        #expect(predictions[0][0] == [[1.5], [0.5], [1.5]])
        #expect(predictions[1][0] == [[1.5], [1.5], [0.5]])
    }

    @Test(arguments: [(2, 7), (3, 11)])
    func `the model sees no more than the context`(context: Int, tokens: Int) throws {
        let longest = Longest()
        _ = try predictor(model(longest), context: context).predict(
            [.init(context: [0], actions: actions)], horizon: 6)
        #expect(longest.count == tokens)
    }

    @Test func `a past counts as context`() throws {
        let predictions = try predictor(model()).predict(
            [.init(context: [0, 1, 0, 0, 1], actions: [[0.5]])], horizon: 1)
        #expect(predictions == [[[[1.5]], [[1.5]]]])
    }

    @Test func `samples differ where the model is uncertain, and depend on the seed alone`() throws
    {
        let uncertain = TableModel { _ in [0.5, 0.5, 0] }
        func predict(seed: UInt64) throws -> [[[[Double]]]] {
            var options = OpenLoopPredictor.Options(contextTransitions: 3)
            options.samples = 6
            options.seed = seed
            return try OpenLoopPredictor(
                model: uncertain, discretizer: discretizer, options: options
            ).predict([.init(context: [0], actions: actions)], horizon: 6)
        }
        let predictions = try predict(seed: 1)
        #expect(Set(predictions[0]).count > 1)
        #expect(try predict(seed: 1) == predictions)
        #expect(try predict(seed: 2) != predictions)
    }

    @Test func `predicted numbers are hidden from the model, not from who asks`() throws {
        /// One value bin and the hidden token.
        let hiding = Discretizer(
            strategy: .uniform,
            edges: [[0, 0, 0, 0], [1, 1, 1, 1], [1, 2, 2, 2]].flatMap(\.self), dimension: 4,
            binCount: 2, hiddenColumns: 0..<1)
        let seen = Tokens()
        let model = TableModel { path in
            for place in stride(from: 0, to: path.count, by: 4) { seen.note(path[place]) }
            return [1, 1e-30, 1e-30]
        }
        func predict(hidden: Double) throws -> [SampledObservations] {
            var options = OpenLoopPredictor.Options(contextTransitions: 3)
            options.samples = 40
            options.hidden = hidden
            return try OpenLoopPredictor(model: model, discretizer: hiding, options: options)
                .predictTokens([.init(context: [0], actions: actions)], horizon: 6)
        }
        let samples = try predict(hidden: 0.5)[0]
        #expect(
            (0..<40).allSatisfy { sample in
                (0..<6).allSatisfy { samples[sample: sample, step: $0, index: 0] == 0 }
            })
        #expect(seen.all == [0, 1])
        #expect(samples.mean(hiding) == Array(repeating: [0.5], count: 6))
        for refused in [1, -0.1] {
            #expect(throws: PlanningError.self) { try predict(hidden: refused) }
        }
        var options = OpenLoopPredictor.Options(contextTransitions: 3)
        options.hidden = 0.5
        #expect(throws: PlanningError.self) {
            try OpenLoopPredictor(model: model, discretizer: discretizer, options: options)
        }
    }

    private final class Tokens: Sendable {
        private let tokens = Mutex<Set<Int>>([])
        var all: Set<Int> { tokens.withLock { $0 } }
        func note(_ token: Int) { tokens.withLock { _ = $0.insert(token) } }
    }
}
