import Behavior
import Environments
import Episodes
import Testing
import Trajectories

@Suite struct RoomsCollectorTests {
    private func collect(steps: Int, workers: Int) async throws -> [Trajectory] {
        let recipe = try DatasetRecipe(named: "rooms")
        let pool = try EpisodeWorkers(count: workers) {
            try EnvironmentRegistry.make(recipe.environment)
        }
        return try await recipe.collect(steps: steps, seed: 2, workers: pool)
    }

    @Test func `half of the episodes are paid at their end for a goal, half stroll about`()
        async throws
    {
        // The last may be cut.
        let episodes = try await collect(steps: 2000, workers: 2).dropLast()
        for (number, episode) in episodes.enumerated() {
            let isWalk = number % 2 == 0
            if isWalk {
                #expect(episode.rewards.last == 1 && episode.count < 100, "episode \(number)")
                #expect(episode.rewards.dropLast().allSatisfy { $0 == 0 })
            } else {
                #expect(episode.count == 12)
            }
            #expect(episode.ending == .timeout)
            let doors = RoomsEnvironment.mapColumns
            for row in 0..<episode.count {
                #expect(
                    Array(episode.observation(row)).suffix(from: doors.lowerBound)
                        == Array(episode.observation(0)).suffix(from: doors.lowerBound))
            }
        }
    }

    @Test func `the data do not depend on the number of workers`() async throws {
        let one = try await collect(steps: 300, workers: 1)
        let two = try await collect(steps: 300, workers: 2)
        #expect(one == two && one.reduce(0) { $0 + $1.count } == 300)
    }
}
