import Episodes
import Foundation
import Learning
import Policies
import RandomNumbers
import Testing
import Safetensors
import TestSupport
import Trajectories

/// Four places in a row; an action above 0 goes right, below 0 left, and leaving on the right ends
/// the episode with reward 1.
private enum Chain {
    static let length = 4
    static let layout = TransitionLayout(observationDimension: length, actionDimension: 1)

    static func observation(_ place: Int) -> [Float] {
        (0..<length).map { $0 == place ? 1 : 0 }
    }

    /// Every place with both actions, once each.
    static var episodes: [Trajectory] {
        (0..<length).flatMap { place in
            [-1, 1].map { (action: Float) -> Trajectory in
                let next = max(0, place + Int(action))
                var trajectory = Trajectory(layout: layout)
                trajectory.append(
                    observation: observation(place), action: [action],
                    reward: next == length ? 1 : 0)
                if next == length {
                    trajectory.ending = .terminal
                } else {
                    trajectory.append(observation: observation(next), action: [0], reward: 7)
                }
                return trajectory
            }
        }
    }

    /// Where implicit Q-learning ends in exact arithmetic: the expectile of two equally frequent
    /// values is (1 - τ) times the smaller and τ times the larger.
    static func values(expectile: Double, discount: Double) -> (
        v: [Double], q: [(left: Double, right: Double)]
    ) {
        var v = Array(repeating: 0.0, count: length)
        var q = Array(repeating: (left: 0.0, right: 0.0), count: length)
        for _ in 0..<500 {
            for place in 0..<length {
                q[place].left = discount * v[max(0, place - 1)]
                q[place].right = place + 1 < length ? discount * v[place + 1] : 1
            }
            for place in 0..<length {
                let (low, high) = (
                    min(q[place].left, q[place].right), max(q[place].left, q[place].right)
                )
                v[place] = (1 - expectile) * low + expectile * high
            }
        }
        return (v, q)
    }
}

@Suite struct ImplicitQLearningTests {
    private func settings(_ change: (inout ImplicitQLearning.Settings) -> Void = { _ in })
        -> ImplicitQLearning.Settings
    {
        var settings = ImplicitQLearning.Settings()
        settings.learning.steps = 5000
        settings.learning.batchSize = 128
        settings.learning.hiddenSizes = [32, 32]
        settings.learning.learningRate = 1e-3
        settings.learning.seed = 9
        settings.targetRate = 0.02
        change(&settings)
        return settings
    }

    private func chain(_ settings: ImplicitQLearning.Settings) throws -> ImplicitQLearning {
        let learner = try ImplicitQLearning(
            Chain.episodes, layout: Chain.layout, actionLimits: [-1...1], settings: settings)
        try learner.train()
        return learner
    }

    @Test(arguments: [(0.5, 1.0), (0.9, 1.0), (0.7, 8.0)])
    func `values on a chain are the known ones, and the policy goes right`(
        expectile: Double, rewardScale: Double
    ) throws {
        let learner = try chain(
            settings {
                $0.expectile = expectile
                $0.discount = 0.9
                $0.temperature = 30 / rewardScale
                $0.rewardScale = rewardScale
            })
        let known = Chain.values(expectile: expectile, discount: 0.9)
        var generator = PCG64(seed: 0)
        for place in 0..<Chain.length {
            let observation = Chain.observation(place).map(Double.init)
            #expect(abs(learner.critic.value(of: observation) - known.v[place]) < 0.05)
            let q = learner.critic.values(
                observations: [observation, observation], actions: [[-1], [1]])
            #expect(abs(q[0] - known.q[place].left) < 0.05)
            #expect(abs(q[1] - known.q[place].right) < 0.05)
            #expect(learner.policy.action(for: observation, using: &generator)[0] > 0.3)
        }
        // A larger expectile is nearer to the best, 0.9³ from the first place.
        #expect(expectile < 0.9 || known.v[0] > 0.5)
    }

    @Test func `the policy beats the data it was learnt from`() throws {
        let specification = PointEnvironment().specification
        let data = PointEnvironment.episodes(
            of:
                RandomPolicy(actionLimits: specification.actionLimits), count: 300)
        let learner = try ImplicitQLearning(
            data, layout: specification.layout, actionLimits: specification.actionLimits,
            settings: settings {
                $0.learning.steps = 2000
                $0.temperature = 10
            })
        try learner.train()
        let score = PolicyScore(of: PointEnvironment.episodes(of: learner.policy, count: 50))
        let usual = PolicyScore(of: data)
        #expect(score.mean > usual.mean / 4, "\(score.mean) against \(usual.mean)")
    }

    @Test func `the same seed gives the same critic, whatever the number of workers`() throws {
        func values(seed: UInt64, workers: Int, trainsPolicy: Bool = true) throws -> [Double] {
            let learner = try chain(
                settings {
                    $0.learning.steps = 60
                    $0.learning.seed = seed
                    $0.learning.workers = workers
                    $0.learning.batchSize = 130
                    $0.trainsPolicy = trainsPolicy
                })
            let observations = (0..<4).map { Chain.observation($0).map(Double.init) }
            return learner.critic.values(
                observations: observations, actions: Array(repeating: [1], count: 4))
                + observations.map { learner.critic.value(of: $0) }
        }
        let first = try values(seed: 3, workers: 1)
        #expect(try values(seed: 3, workers: 3) == first)
        #expect(try values(seed: 3, workers: 1, trainsPolicy: false) == first)
        #expect(try values(seed: 4, workers: 1) != first)
    }

    @Test(arguments: [
        ("observation_dimension", "9223372036854775807"), ("observation_dimension", "-1"),
        ("action_dimension", "4611686018427387904"), ("action_dimension", "2"),
        ("reward_scale", "nan"), ("reward_scale", "0"), ("discount", "inf"), ("discount", "2"),
    ])
    func `a critic whose file says what cannot be is refused`(_ key: String, _ value: String) throws
    {
        let folder = try TemporaryFolder()
        let url = folder.file("critic.safetensors")
        try chain(settings { $0.learning.steps = 1 }).critic.write(to: url)
        var file = try SafetensorsFile(contentsOf: url)
        file.metadata[key] = value
        try file.write(to: url)
        #expect(throws: LearningError.self) { try Critic(contentsOf: url) }
    }

    @Test func `a critic read back from its file is the same`() throws {
        let folder = try TemporaryFolder()
        var critic = try chain(settings { $0.learning.steps = 20 }).critic
        critic.environment = "chain-v0"
        critic.record = ["steps": "20"]
        try critic.write(to: folder.file("critic.safetensors"))
        let read = try Critic(contentsOf: folder.file("critic.safetensors"))
        #expect(read.layout == critic.layout && read.discount == 0.99)
        #expect(read.environment == "chain-v0" && read.record == ["steps": "20"])
        // More rows than are computed at a time.
        let observations = (0..<1100).map { Chain.observation($0 % 4).map(Double.init) }
        let actions = (0..<1100).map { [Double($0) / 1100] }
        let values = critic.values(observations: observations, actions: actions)
        #expect(values.count == 1100 && Set(values).count > 1000)
        #expect(read.values(observations: observations, actions: actions) == values)
        #expect(read.value(of: [0, 1, 0, 0]) == critic.value(of: [0, 1, 0, 0]))
        let error = #expect(throws: LearningError.self) {
            try read.requireMatch(
                PointEnvironment().specification.layout, of: "point-v4", file: "critic.safetensors")
        }
        #expect(error?.code == .unsuitableCritic)
        #expect(error?.description.contains("4 observation and 1 action numbers") == true)
    }

    @Test func `what is no critic is refused in one line`() throws {
        let folder = try TemporaryFolder()
        let policy = folder.file("policy.safetensors")
        try chain(settings { $0.learning.steps = 1 }).policy.write(to: policy)
        for file in [policy, folder.file("missing.safetensors")] {
            let error = #expect(throws: LearningError.self) { try Critic(contentsOf: file) }
            #expect(error?.code == .unreadableCritic)
            #expect(error?.description.contains("give the file of a critic") == true)
            #expect(error?.description.contains("\n") == false)
        }
    }

    @Test func `settings and data that cannot be are refused`() throws {
        let cases: [(LearningError.Code, ImplicitQLearning.Settings)] = [
            (.invalidSetting, settings { $0.expectile = 1 }),
            (.invalidSetting, settings { $0.discount = 1.1 }),
            (.invalidSetting, settings { $0.temperature = -1 }),
            (.invalidSetting, settings { $0.rewardScale = 0 }),
        ]
        for (code, settings) in cases {
            let error = #expect(throws: LearningError.self) { try chain(settings) }
            #expect(error?.code == code)
        }
        let cut = Trajectory(
            layout: Chain.layout, observations: [1, 0, 0, 0], actions: [1], rewards: [1],
            ending: .timeout)
        let error = #expect(throws: LearningError.self) {
            try ImplicitQLearning(
                [cut], layout: Chain.layout, actionLimits: [-1...1], settings: settings())
        }
        #expect(error?.code == .noData)
    }
}
