import Episodes
import Learning
import Policies
import RandomNumbers
import TestSupport
import Testing
import Trajectories

@Suite struct SoftActorCriticTrainerTests {
    private static func settings(environments: Int = 1) -> SoftActorCriticSettings {
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [32, 32]
        settings.batchSize = 64
        settings.learningRate = 3e-3
        settings.interval = 40
        settings.environments = environments
        settings.warmUp = 200
        settings.seed = 7
        return settings
    }

    private static func trainer(
        _ settings: SoftActorCriticSettings, workers: Int = 1, overlaps: Bool = false,
        recordsEpisodes: Bool = false
    ) throws -> SoftActorCriticTrainer {
        var execution = SoftActorCriticTrainer.Execution()
        execution.workers = workers
        execution.overlaps = overlaps
        execution.recordsEpisodes = recordsEpisodes
        return try SoftActorCriticTrainer(
            settings, execution: execution,
            engine: {
                try CPUSoftActorCritic($0, settings: $1, firstRow: $2, workers: workers)
            },
            make: { PointEnvironment() })
    }

    @Test func `a point learns to stay near the middle`() async throws {
        var trainer = try Self.trainer(Self.settings())
        let workers = try PointEnvironment.workers(1)
        func score() async throws -> Double {
            await PolicyScore.measure(
                PolicyMixture(try trainer.policy()), episodes: 20, firstSeed: 100,
                workers: workers
            ).mean
        }
        let before = try await score()
        while trainer.steps < 1600 { _ = try await trainer.advance() }
        let after = try await score()
        print("seed \(Self.settings().seed): return \(before) before, \(after) after")
        #expect(before < -15)
        #expect(after > -3)
    }

    // Not inlined: Swift 6.3's optimizer crashes on loops over workers otherwise.
    @inline(never)
    private func rounds(_ workers: Int, overlaps: Bool) async throws
        -> (SoftActorCriticSnapshot, SoftActorCriticRows)
    {
        var trainer = try Self.trainer(
            Self.settings(environments: 4), workers: workers, overlaps: overlaps)
        var rows = SoftActorCriticRows()
        for _ in 0..<8 { rows.append(try await trainer.advance().rows) }
        return (try await trainer.snapshot(), rows)
    }

    @Test func `acting beside learning, and with more workers, gives the same run`() async throws {
        let (snapshot, rows) = try await rounds(1, overlaps: false)
        for workers in 1...3 {
            let (other, otherRows) = try await self.rounds(workers, overlaps: true)
            #expect(other == snapshot && otherRows == rows)
        }
        #expect(rows.count == 320 && snapshot.state.updates == 120)
    }

    @Test func `rows follow each other, and only terminal states count as such`() async throws {
        var trainer = try Self.trainer(Self.settings(), recordsEpisodes: true)
        var rows = SoftActorCriticRows()
        var episodes: [Trajectory] = []
        for _ in 0..<10 {
            let round = try await trainer.advance()
            rows.append(round.rows)
            episodes += round.episodes
        }
        #expect(rows.actions.allSatisfy { -1...1 ~= $0 })
        var row = 0
        for episode in episodes {
            for step in 0..<episode.count {
                #expect(rows.observations[row] == episode.observations[step])
                let isLast = step == episode.count - 1
                #expect((rows.terminals[row] == 1) == (isLast && episode.ending == .terminal))
                if !isLast { #expect(rows.nextObservations[row] == rows.observations[row + 1]) }
                row += 1
            }
        }
        let unfinished = await trainer.unfinishedEpisodes()
        #expect(row + unfinished.reduce(0) { $0 + $1.count } == 400)
        #expect(episodes.contains { $0.ending == .timeout })
        #expect(episodes.contains { $0.ending == .terminal })
    }

    @Test func `a snapshot is read as it was written, and a damaged one is refused`() async throws {
        let folder = try TemporaryFolder()
        var trainer = try Self.trainer(Self.settings(environments: 2))
        for _ in 0..<7 { _ = try await trainer.advance() }
        var snapshot = try await trainer.snapshot()
        snapshot.notes = ["best_return": "-3.5"]
        let file = folder.file("run.safetensors")
        try snapshot.write(to: file)
        #expect(try SoftActorCriticSnapshot(contentsOf: file) == snapshot)

        var state = snapshot.state
        state.actor[0] = .nan
        let unwritable = SoftActorCriticSnapshot(replacing: state, in: snapshot)
        let error = #expect(throws: LearningError.self) { try unwritable.write(to: file) }
        #expect(error?.code == .unwritableSnapshot)
        #expect(try SoftActorCriticSnapshot(contentsOf: file) == snapshot)

        let policy = folder.file("policy.safetensors")
        try trainer.policy().write(to: policy)
        #expect(
            #expect(throws: LearningError.self) {
                try SoftActorCriticSnapshot(contentsOf: policy)
            }?.code == .unreadableSnapshot)
    }
}
