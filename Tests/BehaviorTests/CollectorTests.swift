import TestSupport
import Policies
import RandomNumbers
import Episodes
import Behavior
import Environments
import Testing
import Trajectories

@Suite struct CollectorTests {
    private func collect(
        _ policy: any Policy, steps: Int, workers: Int = 2, seed: UInt64 = 9
    ) async throws -> [Trajectory] {
        try await Collector(
            PolicyMixture(policy), workers: PointEnvironment.workers(workers), seed: seed
        ).collect(steps: steps)
    }

    @Test func `exactly the steps asked for are logged, and the last episode is cut`() async throws
    {
        let trajectories = try await collect(ConstantPolicy(value: 0), steps: 50)
        #expect(trajectories.map(\.count) == [20, 20, 10])
        #expect(trajectories.map(\.ending) == [.timeout, .timeout, .unfinished])
    }

    @Test func `a last episode that fits is not unfinished`() async throws {
        let trajectories = try await collect(ConstantPolicy(value: 0), steps: 40)
        #expect(trajectories.map(\.ending) == [.timeout, .timeout])
    }

    @Test func `terminal states end episodes`() async throws {
        let trajectories = try await collect(ConstantPolicy(value: 1), steps: 40)
        #expect(trajectories.dropLast().allSatisfy { $0.ending == .terminal && $0.count < 8 })
        #expect(trajectories.reduce(0) { $0 + $1.count } == 40)
    }

    @Test func `rows hold the observation before the action, and the reward after it`()
        async throws
    {
        let trajectory = try #require(await collect(ConstantPolicy(value: 0.25), steps: 20).first)
        for row in 0..<trajectory.count {
            let before = try #require(trajectory.observation(row).first)
            #expect(trajectory.action(row) == [0.25])
            let after = before + 0.25
            #expect(abs(trajectory.rewards[row] + after * after) < 1e-5)
            if row + 1 < trajectory.count {
                #expect(abs(try #require(trajectory.observation(row + 1).first) - after) < 1e-6)
            }
        }
    }

    @Test func `a collection depends on the seed and not on the number of workers`() async throws {
        let policy = RandomPolicy(actionLimits: [-1...1])
        let one = try await collect(policy, steps: 333, workers: 1)
        #expect(try await collect(policy, steps: 333, workers: 3) == one)
        #expect(try await collect(policy, steps: 333, workers: 1, seed: 10) != one)
    }

    @Test func `replaying the logged actions gives the logged Hopper episode`() async throws {
        let workers = try EpisodeWorkers(count: 1) { try EnvironmentRegistry.make("hopper") }
        let policy = PolicyMixture(RandomPolicy(actionLimits: workers.specification.actionLimits))
        let trajectory = try #require(
            await Collector(policy, workers: workers, seed: 4).collect(steps: 200).first)
        #expect(trajectory.ending == .terminal)

        let environment = try EnvironmentRegistry.make("hopper")
        var generator = PCG64(seed: 4, 0)
        var observation = environment.reset(seed: generator.next())
        for row in 0..<trajectory.count {
            #expect(trajectory.observation(row).elementsEqual(observation.map(Float.init)))
            let step = environment.step(trajectory.action(row).map(Double.init))
            #expect(trajectory.rewards[row] == Float(step.reward))
            #expect(step.isTerminated == (row == trajectory.count - 1))
            observation = step.observation
        }
    }
}
