import Episodes
import Foundation
import Learning
import Policies
import RandomNumbers
import TestSupport
import Testing
import Trajectories

/// The losses of TD3+BC, written down plainly in double precision.
private struct PlainTD3PlusBC {
    let settings: TD3PlusBC.Settings
    let transitions: Transitions
    let hiddenSizes: [Int]
    let parts: [String: [Double]]
    /// What an observation is normalized by.
    let mean, deviation: [Double]

    init(_ learner: TD3PlusBC) {
        settings = learner.settings
        transitions = learner.transitions
        hiddenSizes = settings.learning.hiddenSizes
        parts = learner.parts.mapValues { $0.map(Double.init) }
        let width = transitions.layout.observationDimension
        let data = learner.transitions
        let columns = (0..<width).map { column in
            (0..<data.count).map { Double(data.observations[$0 * width + column]) }
        }
        let means = columns.map { $0.reduce(0, +) / Double($0.count) }
        mean = means
        deviation = zip(columns, means).map { numbers, mean in
            let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return (squares / Double(numbers.count)).squareRoot() + 1e-3
        }
    }

    /// The parameters of a network.
    func network(_ name: String) -> [Double] { parts[name] ?? [] }

    private func output(_ parameters: [Double], _ input: [Double], outputs: Int) -> [Double] {
        var (numbers, at) = (input, 0)
        let sizes = [input.count] + hiddenSizes + [outputs]
        for layer in 1..<sizes.count {
            let (columns, rows) = (sizes[layer - 1], sizes[layer])
            numbers = (0..<rows).map { row in
                var sum = parameters[at + rows * columns + row]
                for column in 0..<columns {
                    sum += parameters[at + row * columns + column] * numbers[column]
                }
                return layer < sizes.count - 1 ? max(sum, 0) : sum
            }
            at += rows * (columns + 1)
        }
        return numbers
    }

    private func rows(_ update: Int) -> [(place: Int, row: Int)] {
        let size = settings.learning.batchSize
        return (0..<size).map {
            ($0, draws.place(update: update, row: $0, size: transitions.count))
        }
    }

    private var draws: SoftActorCriticDraws {
        SoftActorCriticDraws(
            seed: settings.learning.seed, batchSize: settings.learning.batchSize,
            actionDimension: transitions.layout.actionDimension)
    }

    private func observation(_ numbers: [Float], _ row: Int) -> [Double] {
        mean.indices.map { (Double(numbers[row * mean.count + $0]) - mean[$0]) / deviation[$0] }
    }

    private func action(_ row: Int) -> [Double] {
        let width = transitions.layout.actionDimension
        // Limits are -2 and 2.
        return (0..<width).map { Double(transitions.actions[row * width + $0]) / 2 }
    }

    private func act(_ parameters: [Double], _ observation: [Double]) -> [Double] {
        output(parameters, observation, outputs: transitions.layout.actionDimension).map(tanh)
    }

    private func value(_ critic: [Double], _ observation: [Double], _ action: [Double]) -> Double {
        output(critic, observation + action, outputs: 1)[0]
    }

    /// The loss of a critic in update `update`, from 0, with targets of these parts.
    func criticLoss(_ critic: [Double], update: Int) -> Double {
        let batch = rows(update)
        let sum = batch.reduce(0.0) { sum, at in
            let next = observation(transitions.nextObservations, at.row)
            let noisy = act(network("actor target"), next).enumerated().map { column, action in
                let z = Double(
                    draws.nextNoise(update: update, row: at.place, column: column))
                let noise = min(
                    max(settings.policyNoise * z, -settings.noiseLimit), settings.noiseLimit)
                return min(max(action + noise, -1), 1)
            }
            let future = min(
                value(network("target 0"), next, noisy), value(network("target 1"), next, noisy))
            let y =
                Double(transitions.rewards[at.row])
                + (transitions.isTerminal[at.row] ? 0 : settings.discount * future)
            let now = observation(transitions.observations, at.row)
            let error = value(critic, now, action(at.row)) - y
            return sum + error * error
        }
        return sum / Double(batch.count)
    }

    /// The policy's loss with this critic, λ that of the parts.
    func policyLoss(_ policy: [Double], update: Int) -> Double {
        let batch = rows(update)
        let critic = network("critic 0")
        let observations = batch.map { observation(transitions.observations, $0.row) }
        let size = Double(batch.count)
        let magnitude = observations.reduce(0.0) {
            $0 + abs(value(critic, $1, act(network("actor"), $1)))
        }
        let weight = settings.alpha / (magnitude / size)
        var loss = 0.0
        for (at, observation) in zip(batch, observations) {
            let acted = act(policy, observation)
            let squares = zip(acted, action(at.row)).map { ($0 - $1) * ($0 - $1) }
            loss -= weight * value(critic, observation, acted)
            loss += squares.reduce(0, +) / Double(squares.count)
        }
        return loss / size
    }

    static func gradient(_ parameters: [Double], _ loss: ([Double]) -> Double) -> [Float] {
        var values = parameters
        return values.indices.map { index in
            let (value, step) = (values[index], 1e-5)
            values[index] = value + step
            let above = loss(values)
            values[index] = value - step
            let below = loss(values)
            values[index] = value
            return Float((above - below) / (2 * step))
        }
    }
}

@Suite struct TD3PlusBCTests {
    private let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)

    /// Random episodes, every other of which ends in a terminal state.
    private var episodes: [Trajectory] {
        var generator = SeededGenerator(seed: 21)
        return (0..<6).map { index in
            var trajectory = Trajectory(layout: layout)
            for _ in 0..<9 {
                trajectory.append(
                    observation: (0..<3).map { generator.float(in: -1...1) * Float($0 + 1) },
                    action: (0..<2).map { _ in generator.float(in: -2...2) },
                    reward: generator.float(in: -1...1))
            }
            trajectory.ending = index.isMultiple(of: 2) ? .terminal : .timeout
            return trajectory
        }
    }

    /// Small networks, none of whose sizes is a whole number of vectors.
    private func settings(_ change: (inout TD3PlusBC.Settings) -> Void = { _ in })
        -> TD3PlusBC.Settings
    {
        var settings = TD3PlusBC.Settings()
        settings.learning.hiddenSizes = [5, 19]
        settings.learning.batchSize = 30
        settings.learning.steps = 20
        settings.learning.learningRate = 1e-3
        settings.learning.seed = 8
        settings.learning.workers = 2
        change(&settings)
        return settings
    }

    private func learner(_ settings: TD3PlusBC.Settings) throws -> TD3PlusBC {
        try TD3PlusBC(
            episodes, layout: layout, actionLimits: [-2...2, -2...2], settings: settings)
    }

    @Test func `gradients are those of the losses by finite differences`() throws {
        let learner = try learner(
            settings {
                // Parameters stay where they are.
                $0.learning.learningRate = 1e-30
                $0.policyNoise = 0.6
            })
        let plain = PlainTD3PlusBC(learner)
        let losses = [learner.update(), learner.update()]
        for (update, found) in losses.enumerated() {
            let expected = (0..<2).reduce(0.0) {
                $0 + plain.criticLoss(plain.network("critic \($1)"), update: update)
            }
            #expect(abs(found - expected) < 1e-5)
        }
        for index in 0..<2 {
            let gradient = PlainTD3PlusBC.gradient(plain.network("critic \(index)")) {
                plain.criticLoss($0, update: 1)
            }
            let found = try #require(learner.parts["critic \(index) gradient"])
            #expect(relativeError(found, gradient) < 1e-4)
        }
        let policy = plain.network("actor")
        let gradient = PlainTD3PlusBC.gradient(policy) { plain.policyLoss($0, update: 1) }
        let found = try #require(learner.parts["actor gradient"])
        #expect(relativeError(found, gradient) < 1e-4)
        #expect(found.contains { abs($0) > 1e-3 })
    }

    @Test func `policy and targets move every second update, the targets by their rate`() throws {
        let learner = try learner(settings { $0.targetRate = 0.25 })
        let before = learner.parts
        _ = learner.update()
        let first = learner.parts
        for part in ["actor", "actor target", "target 0", "target 1"] {
            #expect(first[part] == before[part])
        }
        #expect(first["critic 0"] != before["critic 0"] && first["critic 1"] != before["critic 1"])
        _ = learner.update()
        let second = learner.parts
        for (part, of) in [("actor target", "actor"), ("target 1", "critic 1")] {
            let moved = zip(before[part]!, second[of]!).map { $0 + 0.25 * ($1 - $0) }
            #expect(second[part] != before[part])
            #expect(zip(second[part]!, moved).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test func `more is got from mixed data than by cloning them`() throws {
        let specification = PointEnvironment().specification
        let data = PointEnvironment.episodes(
            of: RandomPolicy(actionLimits: specification.actionLimits), count: 300)
        var learning = LearningSettings()
        learning.steps = 2000
        learning.batchSize = 128
        learning.hiddenSizes = [32, 32]
        learning.learningRate = 1e-3
        learning.seed = 9
        var settings = TD3PlusBC.Settings()
        settings.learning = learning
        let learner = try TD3PlusBC(
            data, layout: specification.layout, actionLimits: specification.actionLimits,
            settings: settings)
        try learner.train()
        var cloning = BehaviorCloning.Settings()
        cloning.learning = learning
        let clone = try BehaviorCloning(
            data, layout: specification.layout, actionLimits: specification.actionLimits,
            settings: cloning)
        try clone.train()
        func score(_ policy: NeuralPolicy) -> Double {
            PolicyScore(of: PointEnvironment.episodes(of: policy, count: 50)).mean
        }
        let (own, cloned) = (score(learner.policy), score(clone.policy))
        #expect(own > cloned / 4, "\(own) against \(cloned)")
    }

    @Test func `without a weight of the critic the data are imitated`() throws {
        let specification = PointEnvironment().specification
        let data = PointEnvironment.episodes(of: ProportionalPolicy(gain: 0.3), count: 50)
        let learner = try TD3PlusBC(
            data, layout: specification.layout, actionLimits: specification.actionLimits,
            settings: settings {
                $0.alpha = 0
                $0.learning.steps = 3000
            })
        try learner.train()
        var generator = PCG64(seed: 0)
        let action = learner.policy.action(for: [1], using: &generator)[0]
        #expect(abs(action - 0.3) < 0.08)
    }

    @Test func `the same seed gives the same policy, whatever the number of workers`() throws {
        func policy(seed: UInt64, workers: Int) throws -> NeuralPolicy {
            let learner = try learner(
                settings {
                    $0.learning.seed = seed
                    $0.learning.workers = workers
                    $0.learning.batchSize = 150
                    $0.learning.weightDecay = 0.01
                })
            try learner.train()
            return learner.policy
        }
        let first = try policy(seed: 1, workers: 1)
        #expect(try policy(seed: 1, workers: 1) == first)
        #expect(try policy(seed: 1, workers: 3) == first)
        #expect(try policy(seed: 2, workers: 1) != first)
    }

    @Test func `the written policy acts as the actor that was learnt`() throws {
        let learner = try learner(settings())
        try learner.train()
        let plain = PlainTD3PlusBC(learner)
        #expect(plain.mean.count == learner.policy.mean.count)
        for (found, expected) in zip(learner.policy.mean, plain.mean) {
            #expect(abs(Double(found) - expected) < 1e-5)
        }
        for (found, expected) in zip(learner.policy.deviation, plain.deviation) {
            #expect(abs(Double(found) - expected) < 1e-5)
        }
        let layers = learner.policy.layers.flatMap { $0.weights + $0.biases }
        #expect(layers == learner.parts["actor"])
        #expect(learner.policy.activation == .relu)
    }

    @Test func `settings and data that cannot be are refused`() throws {
        let wrong: [TD3PlusBC.Settings] = [
            settings { $0.alpha = -1 }, settings { $0.discount = 1.1 },
            settings { $0.policyNoise = .nan }, settings { $0.noiseLimit = -0.1 },
            settings { $0.targetRate = 0 }, settings { $0.policyDelay = 0 },
            settings { $0.learning.batchSize = 0 },
        ]
        for settings in wrong {
            let error = #expect(throws: LearningError.self) { try learner(settings) }
            #expect(error?.code == .invalidSetting)
            #expect(error?.description.contains("\n") == false)
        }
        let error = #expect(throws: LearningError.self) {
            try TD3PlusBC([], layout: layout, actionLimits: [-2...2, -2...2])
        }
        #expect(error?.code == .noData)
    }
}
