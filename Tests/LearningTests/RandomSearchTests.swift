import Episodes
import TestSupport
import Learning
import Policies
import Testing
import Trajectories

@Suite struct RandomSearchTests {
    private func settings() -> RandomSearch.Settings {
        var settings = RandomSearch.Settings()
        settings.stepSize = 0.1
        settings.noise = 0.1
        settings.seed = 11
        return settings
    }

    @Test func `a point learns to stay near the middle`() async throws {
        let workers = try PointEnvironment.workers(2)
        var search = try RandomSearch(settings(), workers: workers)
        let before = await PolicyScore.measure(
            PolicyMixture(search.policy), episodes: 20, firstSeed: 100, workers: workers)
        for _ in 0..<40 { _ = await search.advance() }
        let after = await PolicyScore.measure(
            PolicyMixture(search.policy), episodes: 20, firstSeed: 100, workers: workers)
        print("seed \(settings().seed): return \(before.mean) before, \(after.mean) after")
        // Doing nothing costs 20 · E[x²] = 27; going to the middle at once at most a few.
        #expect(before.mean < -15)
        #expect(after.mean > -3)
        #expect(search.policy.weights[0] < 0)
    }

    // Not inlined: Swift 6.3's optimizer crashes on the loop over the workers otherwise.
    @inline(never)
    private func trained(seed: UInt64, workers: Int, iterations: Int) async throws -> [Double] {
        var settings = settings()
        settings.seed = seed
        let pool = try PointEnvironment.workers(workers)
        var search = try RandomSearch(settings, workers: pool)
        for _ in 0..<iterations { _ = await search.advance() }
        return search.policy.weights
    }

    @Test func `the result does not depend on the number of workers`() async throws {
        var policies: [[Double]] = []
        for workers in 1...3 {
            policies.append(try await trained(seed: 11, workers: workers, iterations: 5))
        }
        #expect(policies.allSatisfy { $0 == policies[0] && $0 != [0] })
    }

    @Test func `another seed searches elsewhere`() async throws {
        let first = try await trained(seed: 1, workers: 1, iterations: 1)
        let second = try await trained(seed: 2, workers: 1, iterations: 1)
        #expect(first != second)
    }

    @Test func `steps are counted and the observations' moments become the policy's`()
        async throws
    {
        var search = try RandomSearch(settings(), workers: PointEnvironment.workers(1))
        let progress = await search.advance()
        #expect(progress.iteration == 1)
        #expect(progress.steps == search.steps)
        #expect(progress.steps > 16 * 5 && progress.steps <= 16 * 20)
        #expect(search.policy.deviation[0] > 0.5 && search.policy.deviation[0] < 2)
    }

    @Test func `settings without meaning are refused by name`() throws {
        func message(_ change: (inout RandomSearch.Settings) -> Void) throws -> String? {
            var settings = settings()
            change(&settings)
            let workers = try PointEnvironment.workers(1)
            return #expect(throws: LearningError.self) {
                try RandomSearch(settings, workers: workers)
            }?.description
        }
        #expect(try message { $0.directions = 0 }?.contains("0 directions") == true)
        #expect(try message { $0.topDirections = 9 }?.contains("top 9 directions") == true)
        #expect(try message { $0.stepSize = .nan }?.contains("step size") == true)
        #expect(try message { $0.noise = -1 }?.contains("noise -1") == true)
        #expect(throws: EpisodeWorkersError.self) { try PointEnvironment.workers(0) }
    }

    @Test func `moments of two parts merge to those of the whole`() {
        let numbers = [3.0, -1, 4, 1, -5, 9, 2, 6]
        var whole = RunningMoments(dimension: 1)
        var parts = [RunningMoments(dimension: 1), RunningMoments(dimension: 1)]
        for (index, number) in numbers.enumerated() {
            whole.add([number])
            parts[index < 3 ? 0 : 1].add([number])
        }
        parts[0].merge(parts[1])
        #expect(abs(whole.mean[0] - 2.375) < 1e-12)
        #expect(abs(parts[0].mean[0] - whole.mean[0]) < 1e-12)
        #expect(abs(parts[0].deviation[0] - whole.deviation[0]) < 1e-12)
        #expect(parts[0].count == 8)
        #expect(RunningMoments(dimension: 1).deviation == [1])
    }
}
