import Foundation
import MuJoCo
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
            try await Collector(policy, workers: workers, seed: 4).collect(steps: 200).first)
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

    @Test func `state, density and last observation are kept as D4RL does`() async throws {
        let workers = try EpisodeWorkers(count: 1) { try EnvironmentRegistry.make("hopper") }
        let specification = workers.specification
        let sizes = [8]
        let count = GaussianPolicy.parameterCount(
            layout: specification.layout, hiddenSizes: sizes)
        var generator = PCG64(seed: 3)
        let policy = GaussianPolicy(
            layout: specification.layout, actionLimits: specification.actionLimits,
            hiddenSizes: sizes,
            parameters: (0..<count).map { _ in Float(generator.uniform(-0.3, 0.3)) })
        func episodes(_ policy: any Policy) async throws -> [Trajectory] {
            try await Collector(PolicyMixture(policy), workers: workers, seed: 2).collect(steps: 60)
        }
        let trajectory = try #require(try await episodes(policy.sampling).first)
        let (positions, velocities, densities) = (
            try #require(trajectory.infos["qpos"]), try #require(trajectory.infos["qvel"]),
            try #require(trajectory.infos["action_log_probs"])
        )
        #expect(positions.width == 6 && velocities.width == 6 && densities.width == 1)
        let environment = try EnvironmentRegistry.simulation("hopper")
        for row in 0..<trajectory.count {
            // A state gives its observation, before the action.
            let observed = environment.set(
                SimulationState(
                    positions: positions.values[(6 * row)..<(6 * row + 6)].map(Double.init),
                    velocities: velocities.values[(6 * row)..<(6 * row + 6)].map(Double.init)))
            #expect(absoluteError(observed, trajectory.observation(row).map(Double.init)) < 1e-6)
            // The density of the action under the policy's own Gaussian, by the change of variables.
            let (mean, logDeviation) = policy.distribution(for: Array(trajectory.observation(row)))
            let expected = zip(trajectory.action(row), zip(mean, logDeviation)).reduce(0.0) {
                let (a, mean, logDeviation) = (Double($1.0), Double($1.1.0), Double($1.1.1))
                let z = (atanh(a) - mean) / exp(logDeviation)
                return $0 - z * z / 2 - logDeviation - log(2 * .pi) / 2 - log(1 - a * a)
            }
            #expect(abs(Double(densities.values[row]) - expected) < 2e-3 * max(1, abs(expected)))
        }
        #expect(trajectory.finalObservation?.count == 11)
        // Actions are the same whether the density is kept or not; the mean's have none.
        #expect(try await episodes(policy).allSatisfy { $0.infos["action_log_probs"] == nil })
        let uniform = try #require(
            await episodes(RandomPolicy(actionLimits: specification.actionLimits)).first)
        let expected = Float(-3 * log(2.0))
        #expect(
            try #require(uniform.infos["action_log_probs"]).values.allSatisfy { $0 == expected })
    }
}
