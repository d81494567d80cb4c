import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

@Suite struct GoalModelTests {
    @Test(arguments: TestedEngine.all)
    func `logits behind a goal agree with the definition at every position`(
        _ tested: TestedEngine
    ) throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let tokens = try golden.integers("tokens")
        let goals = try golden.integers("goal")
        for (name, length) in [("logits", 27), ("logits_t17", 17)] {
            let logits = try (0..<3).flatMap { row -> [Float] in
                let sequence = Array(tokens[(row * 27)...].prefix(length))
                let goal = Array(goals[(row * 3)...].prefix(3))
                return try tested.engine.logits(model, sequence, goal: goal).flatMap { $0 }
            }
            #expect(relativeError(logits, try golden.floats(name)) < goldenTolerance)
        }
    }

    @Test func `attention sees the goal and no value token`() throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let weights = try CPUTransformer(model).attentionWeights(
            Array(try golden.integers("tokens")[..<27]),
            goal: Array(try golden.integers("goal")[..<3]))
        #expect(
            relativeError(weights[0].flatMap { $0.flatMap { $0 } }, try golden.floats("attn.0"))
                < goldenTolerance)
    }

    @Test(arguments: TestedEngine.all)
    func `loss and gradients agree with the definition`(_ tested: TestedEngine) throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let engine = try tested.engine.training(model)
        let loss = try engine.lossAndGradient(try Golden.batch(golden), dropoutStream: nil)
        #expect(abs(loss / (try Golden.loss("goal")) - 1) < 1e-6)
        let gradients = try engine.gradient()
        for name in ["goal_emb.weight", "tok_emb.weight", "pos_emb", "blocks.0.attn.value.weight"] {
            let gradient = Array(gradients[try #require(model.range(ofParameter: name))])
            let error = relativeError(gradient, try golden.floats("grad.\(name)"))
            #expect(error < goldenTolerance, "\(name)")
        }
    }

    @Test(arguments: TestedEngine.all)
    func `a step along the gradient of all parameters changes the loss by its norm`(
        _ tested: TestedEngine
    ) throws {
        let model = try Golden.goalModel()
        let batch = try Golden.batch(Golden.data.tensors("goal.safetensors"))
        let engine = try tested.engine.training(model)
        _ = try engine.lossAndGradient(batch, dropoutStream: nil)
        let gradient = try engine.gradient()
        let norm = gradient.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
        func loss(_ step: Float) throws -> Double {
            let scale = step / Float(norm)
            let moved = TrajectoryTransformer(
                model.configuration, values: zip(model.values, gradient).map { $0 + scale * $1 })
            return try tested.engine.training(moved).loss(batch)
        }
        let slope = try (loss(1e-3) - loss(-1e-3)) / 2e-3
        #expect(abs(slope / norm - 1) < 2e-3)
    }

    @Test func `dropout does not depend on the engine, nor on how it divides the work`() throws {
        var configuration = try Golden.goalModel().configuration
        configuration.embeddingDropout = 0.3
        configuration.attentionDropout = 0.2
        configuration.residualDropout = 0.2
        let model = TrajectoryTransformer(configuration, seed: 4)
        let batch = try Golden.batch(Golden.data.tensors("goal.safetensors"))
        let goals = try #require(model.range(ofParameter: "goal_emb.weight"))
        let engines = TestedEngine.all.map(\.engine) + [CPUEngine(workers: 3)]
        let results = try engines.map { engine in
            let training = try engine.training(model)
            let loss = try training.lossAndGradient(batch, dropoutStream: 9)
            return (loss, Array(try training.gradient()[goals]))
        }
        for result in results.dropFirst() {
            #expect(abs(results[0].0 / result.0 - 1) < 1e-6)
            #expect(relativeError(results[0].1, result.1) < goldenTolerance)
        }
        #expect(results[0].1.contains { $0 != 0 })
    }

    @Test func `a configuration from before goals is one without`() throws {
        let configuration = try Golden.configuration("model_tiny")
        let data = try JSONEncoder().encode(configuration)
        var object = try #require(
            try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object.removeValue(forKey: "goalDimension") as? Int == 0)
        let decoded = try JSONDecoder().decode(
            TransformerConfiguration.self, from: JSONSerialization.data(withJSONObject: object))
        #expect(decoded == configuration)
    }

    @Test func `tokens in front may be more than the observation's numbers, within reason`() throws
    {
        var configuration = try Golden.configuration("model_tiny")
        for dimension in [-1, (1 << 20) + 1] {
            configuration.goalDimension = dimension
            #expect(configuration.problem?.contains("goalDimension") == true)
        }
        // Conditions are no columns of the transitions.
        configuration.goalDimension = 9
        #expect(configuration.problem == nil)
    }

    @Test func `all parameters but the goal's start as without goals`() throws {
        var configuration = try Golden.configuration("model_tiny")
        let plain = TrajectoryTransformer(configuration, seed: 6)
        configuration.goalDimension = 2
        let conditioned = TrajectoryTransformer(configuration, seed: 6)
        #expect(conditioned.parameterNames == plain.parameterNames + ["goal_emb.weight"])
        for name in plain.parameterNames {
            #expect(
                plain.parameter(named: name)?.values == conditioned.parameter(named: name)?.values)
        }
        let goals = try #require(conditioned.parameter(named: "goal_emb.weight"))
        #expect(goals.shape == [20, 16] && goals.values.contains { $0 != 0 })
    }

    // MARK: - The decoder

    private struct Node {
        let goal: Int
        let tokens: [Int]
    }

    @Test(arguments: TestedEngine.all)
    func `every node's logits are those of its whole prefix behind its goal`(
        _ tested: TestedEngine
    ) throws {
        let model = try Golden.goalModel()
        let whole = CPUTransformer(model)
        let decoder = try tested.engine.decoder(model)
        var generator = SeededGenerator(seed: 31)
        print("seed 31")
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
        let all = (0..<5).map { _ in (0..<3).map { _ in number(0...9) } }
        for chosen in [[0], [1, 0, 2], [3, 1], [4, 2, 0]] {
            try decoder.begin(goals: chosen.map { all[$0] })
            for _ in 0..<2 {
                try decoder.removeAll()
                var known: [Node] = []
                for _ in 0..<6 {
                    let first = known.count
                    let batch = (0..<number(1...10)).map { _ -> PrefixNode in
                        var parent = number(-chosen.count...max(known.count - 1, -1))
                        if parent >= 0, known[parent].tokens.count == 27 { parent = -1 }
                        let token = number(0...10)
                        known.append(
                            parent < 0
                                ? Node(goal: chosen[-1 - parent], tokens: [token])
                                : Node(
                                    goal: known[parent].goal,
                                    tokens: known[parent].tokens + [token]))
                        return PrefixNode(
                            parent: parent < 0 ? .goal(-1 - parent) : .node(parent), token: token,
                            needsOutput: number(0...1) == 0)
                    }
                    #expect(try decoder.extend(batch) == first..<known.count)
                    for (offset, node) in batch.enumerated() where node.needsOutput {
                        let expected =
                            try whole.logits(
                                known[first + offset].tokens, goal: all[known[first + offset].goal]
                            ).last ?? []
                        #expect(
                            relativeError(decoder.logits(of: first + offset), expected)
                                < goldenTolerance)
                    }
                }
            }
        }
    }

    @Test func `a goal is computed once, however many trees stand on it`() throws {
        let decoder = CPUEngine.cpu.prefixDecoder(try Golden.goalModel())
        decoder.begin(goals: [[1, 2, 3], [4, 5, 6], [1, 2, 3]])
        #expect(decoder.statistics.computedTokens == 6)
        _ = decoder.extend([PrefixNode(parent: .goal(1), token: 1, needsOutput: true)])
        let before = decoder.logits(of: 0)
        for goals in [[[4, 5, 6]], [[1, 2, 3], [4, 5, 6]]] {
            decoder.begin(goals: goals)
            decoder.removeAll()
            _ = decoder.extend([
                PrefixNode(parent: .goal(goals.count - 1), token: 1, needsOutput: true)
            ])
            #expect(decoder.logits(of: 0) == before)
        }
        #expect(decoder.statistics.computedTokens == 6 + 3)
    }

    @Test(arguments: TestedEngine.all)
    func `more goals than are kept at a time change nothing`(_ tested: TestedEngine) throws {
        let model = try Golden.goalModel()
        let whole = CPUTransformer(model)
        let decoder = try tested.engine.decoder(model)
        for index in 0..<300 {
            let goal = [index % 10, index / 10 % 10, index / 100]
            try decoder.begin(goals: [goal])
            guard index % 50 == 0 || index > 297 else { continue }
            _ = try decoder.extend([PrefixNode(parent: .root, token: 7, needsOutput: true)])
            let expected = try whole.logits([7], goal: goal)[0]
            #expect(relativeError(decoder.logits(of: 0), expected) < goldenTolerance)
        }
    }
}
