import Learning
import RandomNumbers
import Episodes
import Behavior
import Environments
import Foundation
import Testing
import Trajectories

@Suite struct DatasetRecipeTests {
    private func collect(
        _ name: String, steps: Int, seed: UInt64 = 0, workers: Int = 2, untilGoal: Bool = false
    ) async throws -> [Trajectory] {
        let recipe = try DatasetRecipe(named: name)
        let pool = try EpisodeWorkers(count: workers) {
            try EnvironmentRegistry.make(recipe.environment)
        }
        return try await recipe.collect(
            steps: steps, seed: seed, workers: pool, untilGoal: untilGoal)
    }

    @Test(arguments: [
        ("hopper-random", "hopper", DatasetRecipe.Kind.random),
        ("hopper-medium-expert", "hopper", .mediumExpert),
        ("ant-v5-medium-replay", "ant-v5", .mediumReplay),
        ("walker2d-expert", "walker2d", .expert),
        ("hopper-full-replay", "hopper", .fullReplay),
        ("hopper-ars-medium-replay", "hopper", .mediumReplay),
        ("ant-v5-ars-expert", "ant-v5", .expert),
        ("maze2d-large-v1", "maze2d-large-v1", .navigation),
        ("pointmaze:map.txt", "pointmaze:map.txt", .navigation),
        ("pointmaze-fourrooms@5", "pointmaze-fourrooms@5", .navigation),
    ])
    func `a name says environment and kind`(
        name: String, environment: String, kind: DatasetRecipe.Kind
    ) throws {
        let recipe = try DatasetRecipe(named: name)
        #expect(recipe.environment == environment && recipe.kind == kind)
        #expect(recipe.isSearched == name.contains("-ars-"))
    }

    @Test func `another name is refused with what there is`() {
        let error = #expect(throws: BehaviorError.self) { try DatasetRecipe(named: "hopper-best") }
        #expect(error?.code == .unknownDataset)
        #expect(error?.description.contains("hopper-medium-replay") == true)
    }

    @Test func `medium-expert is half medium and half expert`() async throws {
        let both = try await collect("hopper-ars-medium-expert", steps: 6001)
        #expect(both.reduce(0) { $0 + $1.count } == 6001)
        let medium = try await collect("hopper-ars-medium", steps: 3000)
        #expect(Array(both.prefix(medium.count)) == medium)
        let rest = both.dropFirst(medium.count)
        #expect(rest.reduce(0) { $0 + $1.count } == 3001)
        let best = try #require(rest.map(\.totalReward).max())
        #expect(best > 3000)
    }

    @Test func `a replay is what training saw, thinned evenly where it must be`() async throws {
        let all = try await collect("hopper-ars-medium-replay", steps: 1_000_000, workers: 2)
        // As many as the policy's file says.
        #expect(all.reduce(0) { $0 + $1.count } == 138_785)
        #expect(all.count == 50 * 16)
        let part = try await collect("hopper-ars-medium-replay", steps: 20_000, workers: 1)
        let count = part.reduce(0) { $0 + $1.count }
        #expect(19_000...20_000 ~= count)
        // In the order of training, from its beginning to its end.
        var next = all[...]
        for episode in part {
            let index = try #require(next.firstIndex(of: episode))
            next = next[(index + 1)...]
        }
        #expect(next.count < 40)
    }

    @Test func `a replay of soft actor-critic is the first that training saw`() async throws {
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [16, 16]
        settings.batchSize = 16
        settings.interval = 30
        settings.environments = 2
        settings.warmUp = 60
        settings.seed = 4
        let episodes = try await DatasetRecipe.replay(
            settings, steps: 200, in: "hopper", workers: 2, progress: { _, _ in })
        #expect(episodes.reduce(0) { $0 + $1.count } == 200)
        var trainer = try SoftActorCriticTrainer(
            settings, engine: { try CPUSoftActorCritic($0, settings: $1, firstRow: $2) },
            make: { try EnvironmentRegistry.make("hopper") })
        var rewards: [Float] = []
        while trainer.steps < 210 { rewards += try await trainer.advance().rows.rewards }
        // In another order, and without those of the last round that do not fit.
        let seen = episodes.flatMap(\.rewards).sorted()
        var left = rewards.sorted()[...]
        for reward in seen {
            left = left.drop { $0 < reward }
            #expect(left.first == reward)
            left = left.dropFirst()
        }
        #expect(episodes.dropLast(2).allSatisfy { $0.ending == .terminal })
        // As D4RL's files have it: also the density of each action, uniform ones included.
        let densities = episodes.compactMap { $0.infos["action_log_probs"]?.values.count }
        #expect(densities == episodes.map(\.count))
    }

    @Test func `a replay is computed by the engine that is given`() async throws {
        struct Absent: Error {}
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [16, 16]
        settings.environments = 2
        await #expect(throws: Absent.self) {
            _ = try await DatasetRecipe.replay(
                settings, steps: 200, in: "hopper", workers: 1,
                engine: { _, _, _ in throw Absent() }, progress: { _, _ in })
        }
    }

    @Test(arguments: ["maze2d-umaze", "maze2d-medium", "pointmaze-fourrooms", "pointmaze-large"])
    func `mazes are roamed from goal to goal`(name: String) async throws {
        let trajectories = try await collect(name, steps: 6000, seed: 5)
        #expect(trajectories.reduce(0) { $0 + $1.count } == 6000)
        let environment = try #require(
            EnvironmentRegistry.make(name) as? any MazeSimulation)
        let free = environment.map.positions { $0 != .wall }
        var visited = Set<MazeMap.Position>()
        for trajectory in trajectories {
            for row in 0..<trajectory.count {
                let observation = trajectory.observation(row).map(Double.init)
                let cell = environment.map.position(
                    x: observation[0], y: observation[1], cellSize: environment.cellSize)
                #expect(environment.map[cell] != .wall)
                visited.insert(cell)
            }
        }
        print("\(name), seed 5: visited \(visited.count) of \(free.count) cells")
        #expect(visited.count > free.count / 2)
        #expect(trajectories.contains { $0.totalReward > 0 })
    }

    @Test(arguments: ["pointmaze-fourrooms@5", "maze2d-umaze"])
    func `an episode that ends at its goal goes there straight`(name: String) async throws {
        let episodes = try await collect(name, steps: 4000, seed: 3, untilGoal: true)
        let environment = try #require(EnvironmentRegistry.make(name) as? any MazeSimulation)
        let limit = environment.specification.maximumEpisodeSteps
        let ended = episodes.filter { $0.ending == .timeout && $0.count < limit }
        print("\(name), seed 3: \(ended.count) of \(episodes.count) episodes ended at a goal")
        #expect(Double(ended.count) > 0.9 * Double(episodes.count))
        for episode in ended {
            func place(_ row: Int) -> [Double] {
                episode.observation(row).prefix(2).map(Double.init)
            }
            let travelled = (1..<max(1, episode.count)).reduce(0) {
                $0 + hypot(place($1)[0] - place($1 - 1)[0], place($1)[1] - place($1 - 1)[1])
            }
            let shortest = try #require(
                environment.shortestPathLength(from: place(0), to: place(episode.count - 1)))
            // From cell to cell rather than across, and with noise; but to one goal only.
            #expect(travelled < 2.5 * shortest + 3)
        }
    }

    @Test func `a replay is of single steps`() async throws {
        let error = await #expect(throws: BehaviorError.self) {
            try await collect("hopper@2-ars-medium-replay", steps: 100)
        }
        #expect(error?.description.contains("leave out the @") == true)
    }

    @Test func `data depends on the seed and not on the number of workers`() async throws {
        let one = try await collect("maze2d-umaze", steps: 1500, workers: 1)
        #expect(try await collect("maze2d-umaze", steps: 1500, workers: 3) == one)
        #expect(try await collect("maze2d-umaze", steps: 1500, seed: 1) != one)
    }

    @Test func `a navigator reaches every goal from every cell`() throws {
        let maze = try #require(
            EnvironmentRegistry.make("pointmaze-medium") as? any MazeSimulation)
        let navigator = MazeNavigator(maze)
        var generator = PCG64(seed: 2)
        for episode: UInt64 in 0..<20 {
            var observation = maze.reset(seed: episode)
            let route = navigator.route(to: maze.goal)
            var steps = 0
            while !navigator.isAtEnd(of: route, position: observation), steps < 600 {
                observation =
                    maze.step(
                        navigator.action(for: observation, along: route, using: &generator)
                    ).observation
                steps += 1
            }
            #expect(steps < 600, "from the start of seed \(episode) to \(maze.goal)")
        }
    }

    @Test func `a search's record survives its file`() {
        var settings = RandomSearch.Settings()
        settings.directions = 40
        settings.stepSize = 0.03
        settings.seed = 7
        let record = RandomSearch.Record(settings, iterations: 12, steps: 3456)
        #expect(RandomSearch.Record(record.metadata) == record)
        var incomplete = record.metadata
        incomplete["noise"] = nil
        #expect(RandomSearch.Record(incomplete) == nil)
    }
}
