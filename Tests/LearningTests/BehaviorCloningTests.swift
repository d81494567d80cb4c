import Episodes
import Learning
import Policies
import RandomNumbers
import Testing
import TestSupport
import Trajectories

@Suite struct BehaviorCloningTests {
    private let specification = PointEnvironment().specification

    private func settings(_ change: (inout BehaviorCloning.Settings) -> Void = { _ in })
        -> BehaviorCloning.Settings
    {
        var settings = BehaviorCloning.Settings()
        settings.learning.steps = 1500
        settings.learning.batchSize = 96
        settings.learning.hiddenSizes = [24, 24]
        settings.learning.learningRate = 3e-3
        settings.learning.seed = 4
        change(&settings)
        return settings
    }

    private func cloned(
        _ trajectories: [Trajectory], _ settings: BehaviorCloning.Settings
    ) throws -> NeuralPolicy {
        let cloning = try BehaviorCloning(
            trajectories, layout: specification.layout,
            actionLimits: specification.actionLimits, settings: settings)
        try cloning.train()
        return cloning.policy
    }

    private func action(_ policy: NeuralPolicy, at position: Double) -> Double {
        var generator = PCG64(seed: 0)
        return policy.action(for: [position], using: &generator)[0]
    }

    @Test func `the policy of the data is found again`() throws {
        let policy = try cloned(
            PointEnvironment.episodes(of: ProportionalPolicy(gain: -0.5), count: 200), settings())
        for position in [-1.8, -1, -0.2, 0, 0.6, 1.7] {
            #expect(abs(action(policy, at: position) + 0.5 * position) < 0.05)
        }
    }

    @Test func `with goals the way to them is found, where without there is none`() throws {
        var generator = PCG64(seed: 6)
        let episodes = (0..<200).map { index in
            var trajectory = Trajectory(layout: specification.layout, ending: .timeout)
            var position = generator.uniform(-1, 1)
            let action = index.isMultiple(of: 2) ? 0.5 : -0.5
            for _ in 0..<8 {
                trajectory.append(
                    observation: [Float(position)], action: [Float(action)], reward: 0)
                position += action / 8
            }
            return trajectory
        }
        let policy = try cloned(episodes, settings { $0.goalColumns = [0] })
        #expect(policy.goalColumns == [0] && policy.mean.count == 2)
        for (position, goal) in [(0.0, 0.4), (0, -0.4), (0.5, 0.1), (-0.6, -0.3)] {
            var generator = PCG64(seed: 0)
            let action = policy.action(for: [position], goal: [goal], using: &generator)[0]
            #expect(abs(action - (goal > position ? 0.5 : -0.5)) < 0.2, "\(position) to \(goal)")
        }
        #expect(abs(action(try cloned(episodes, settings()), at: 0)) < 0.2)
    }

    @Test func `by the rule of the last place a goal is where an episode ended`() throws {
        // Both kinds pass through both places, so that any later one tells nothing.
        let episodes = (0..<200).map { index in
            let side: Float = index.isMultiple(of: 2) ? 1 : -1
            var trajectory = Trajectory(layout: specification.layout, ending: .timeout)
            for position in [0, side, -side] {
                trajectory.append(observation: [position], action: [side / 2], reward: 0)
            }
            return trajectory
        }
        for rule in HindsightGoal.allCases {
            let policy = try cloned(
                episodes,
                settings {
                    $0.goalColumns = [0]
                    $0.goalRule = rule
                })
            for goal in [-1.0, 1] {
                var generator = PCG64(seed: 0)
                let action = policy.action(for: [0], goal: [goal], using: &generator)[0]
                let expected = rule == .last ? -goal / 2 : 0
                #expect(abs(action - expected) < 0.2, "\(rule), goal \(goal)")
            }
        }
    }

    @Test func `of good and bad episodes the best are imitated`() throws {
        let bad = PointEnvironment.episodes(of: ProportionalPolicy(gain: 0.3), count: 180)
        let good = PointEnvironment.episodes(of: ProportionalPolicy(gain: -0.5), count: 60)
        let policy = try cloned(bad + good, settings { $0.topFraction = 0.1 })
        #expect(action(policy, at: 1) < -0.3 && action(policy, at: -1) > 0.3)
    }

    @Test func `the best episodes are whole and hold no more than the share`() {
        func episode(_ rewards: [Float]) -> Trajectory {
            Trajectory(
                layout: specification.layout, observations: rewards, actions: rewards,
                rewards: rewards)
        }
        let episodes = [[1, 1], [5], [2, 1, 1], [0, 0, 0, 0], [4, 0]].map(episode)
        func returns(_ fraction: Double) -> [Double] {
            BehaviorCloning.best(episodes, fraction: fraction).map(\.totalReward)
        }
        #expect(returns(0.01) == [5])
        #expect(returns(0.5) == [5, 4, 4])
        #expect(BehaviorCloning.best(episodes, fraction: 0.5)[1].count == 3)
        #expect(returns(0.4) == [5, 4])
        #expect(returns(1) == [2, 5, 4, 0, 4])
    }

    @Test func `the same seed gives the same policy, whatever the number of workers`() throws {
        let data = PointEnvironment.episodes(of: ProportionalPolicy(gain: -0.5), count: 20)
        func policy(seed: UInt64, workers: Int) throws -> NeuralPolicy {
            try cloned(
                data,
                settings {
                    $0.learning.steps = 50
                    $0.learning.seed = seed
                    $0.learning.workers = workers
                })
        }
        let first = try policy(seed: 1, workers: 1)
        #expect(try policy(seed: 1, workers: 1) == first)
        #expect(try policy(seed: 1, workers: 3) == first)
        #expect(try policy(seed: 2, workers: 1) != first)
    }

    @Test func `data and settings of which nothing can be learnt are refused`() throws {
        let data = PointEnvironment.episodes(of: ProportionalPolicy(gain: -0.5), count: 2)
        let cases: [([Trajectory], LearningError.Code, BehaviorCloning.Settings)] = [
            ([], .noData, settings()),
            (data, .invalidSetting, settings { $0.topFraction = 0 }),
            (data, .invalidSetting, settings { $0.learning.batchSize = 0 }),
            (data, .invalidSetting, settings { $0.learning.beta2 = 1 }),
            (data, .invalidSetting, settings { $0.goalColumns = [1] }),
            (data, .diverged, settings { $0.learning.learningRate = 1e30 }),
        ]
        for (trajectories, code, settings) in cases {
            let error = #expect(throws: LearningError.self) {
                try cloned(trajectories, settings)
            }
            #expect(error?.code == code)
            #expect(error?.description.contains("\n") == false)
        }
    }
}
