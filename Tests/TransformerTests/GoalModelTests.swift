import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer

@Suite struct GoalModelTests {
    @Test func `logits behind a goal agree with the definition at every position`() throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let tokens = try golden.integers("tokens")
        let goals = try golden.integers("goal")
        for (name, length) in [("logits", 27), ("logits_t17", 17)] {
            let logits = (0..<3).flatMap { row -> [Float] in
                let sequence = Array(tokens[(row * 27)...].prefix(length))
                let goal = Array(goals[(row * 3)...].prefix(3))
                return model.logits(sequence, goal: goal).flatMap { $0 }
            }
            #expect(relativeError(logits, try golden.floats(name)) < goldenTolerance)
        }
    }

    @Test func `attention sees the goal and no value token`() throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let weights = model.attentionWeights(
            Array(try golden.integers("tokens")[..<27]),
            goal: Array(try golden.integers("goal")[..<3]))
        #expect(
            relativeError(weights[0].flatMap { $0.flatMap { $0 } }, try golden.floats("attn.0"))
                < goldenTolerance)
    }

    @Test(arguments: [1, 2, 3]) func `loss and gradients agree with the definition`(
        workers: Int
    ) throws {
        let model = try Golden.goalModel()
        let golden = try Golden.data.tensors("goal.safetensors")
        let evaluator = LossEvaluator(
            model, length: 27, workers: workers, sequencesPerPass: workers == 1 ? 2 : 1)
        let loss = evaluator.lossAndGradient(try Golden.batch(golden), dropoutStream: nil)
        #expect(abs(loss / (try Golden.loss("goal")) - 1) < 1e-6)
        for name in ["goal_emb.weight", "tok_emb.weight", "pos_emb", "blocks.0.attn.value.weight"] {
            let gradient = try #require(evaluator.gradient(named: name))
            let error = relativeError(gradient, try golden.floats("grad.\(name)"))
            #expect(error < goldenTolerance, "\(name)")
        }
    }

    @Test func `a step along the gradient of all parameters changes the loss by its norm`() throws {
        let model = try Golden.goalModel()
        let batch = try Golden.batch(Golden.data.tensors("goal.safetensors"))
        let evaluator = LossEvaluator(model, length: 27)
        _ = evaluator.lossAndGradient(batch, dropoutStream: nil)
        let gradients = Dictionary(
            uniqueKeysWithValues: model.parameterNames.map {
                ($0, evaluator.gradient(named: $0) ?? [])
            })
        let norm = gradients.values.joined().reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
        func loss(_ step: Float) throws -> Double {
            var moved = SafetensorsFile()
            for (name, gradient) in gradients {
                let parameter = try #require(model.parameter(named: name))
                let scale = step / Float(norm)
                moved.set(
                    name, zip(parameter.values, gradient).map { $0 + scale * $1 },
                    shape: parameter.shape)
            }
            return LossEvaluator(
                try TrajectoryTransformer(model.configuration, tensors: moved), length: 27
            ).loss(batch)
        }
        let slope = try (loss(1e-3) - loss(-1e-3)) / 2e-3
        #expect(abs(slope / norm - 1) < 2e-3)
    }

    @Test func `dropout does not depend on the number of workers`() throws {
        var configuration = try Golden.goalModel().configuration
        configuration.embeddingDropout = 0.3
        configuration.attentionDropout = 0.2
        configuration.residualDropout = 0.2
        let model = TrajectoryTransformer(configuration, seed: 4)
        let batch = try Golden.batch(Golden.data.tensors("goal.safetensors"))
        let results = [1, 3].map { workers in
            let evaluator = LossEvaluator(model, length: 27, workers: workers)
            let loss = evaluator.lossAndGradient(batch, dropoutStream: 9)
            return (loss, evaluator.gradient(named: "goal_emb.weight") ?? [])
        }
        #expect(abs(results[0].0 / results[1].0 - 1) < 1e-6)
        #expect(relativeError(results[0].1, results[1].1) < goldenTolerance)
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

    @Test func `a goal of more tokens than the observation has is refused`() throws {
        var configuration = try Golden.configuration("model_tiny")
        configuration.goalDimension = 4
        #expect(configuration.problem?.contains("goalDimension") == true)
        configuration.goalDimension = 3
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

    @Test(arguments: [1, 2])
    func `every node's logits are those of its whole prefix behind its goal`(workers: Int) throws {
        let model = try Golden.goalModel()
        let decoder = PrefixDecoder(model, workers: workers)
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
                            model.logits(
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
        let decoder = PrefixDecoder(try Golden.goalModel())
        try decoder.begin(goals: [[1, 2, 3], [4, 5, 6], [1, 2, 3]])
        #expect(decoder.statistics.computedTokens == 6)
        _ = try decoder.extend([PrefixNode(parent: .goal(1), token: 1, needsOutput: true)])
        let before = decoder.logits(of: 0)
        for goals in [[[4, 5, 6]], [[1, 2, 3], [4, 5, 6]]] {
            try decoder.begin(goals: goals)
            try decoder.removeAll()
            _ = try decoder.extend([
                PrefixNode(parent: .goal(goals.count - 1), token: 1, needsOutput: true)
            ])
            #expect(decoder.logits(of: 0) == before)
        }
        #expect(decoder.statistics.computedTokens == 6 + 3)
    }

    @Test func `more goals than are kept at a time change nothing`() throws {
        let model = try Golden.goalModel()
        let decoder = PrefixDecoder(model)
        for index in 0..<300 {
            let goal = [index % 10, index / 10 % 10, index / 100]
            try decoder.begin(goals: [goal])
            guard index % 50 == 0 || index > 297 else { continue }
            _ = try decoder.extend([PrefixNode(parent: .root, token: 7, needsOutput: true)])
            let expected = model.logits([7], goal: goal)[0]
            #expect(relativeError(decoder.logits(of: 0), expected) < goldenTolerance)
        }
    }
}
