import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

/// How large an episode's return is among those of the data.
@Suite struct ReturnLevelsTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    /// Episodes of these returns, each of as many steps as `lengths` says.
    private func trajectories(_ returns: [Float], lengths: [Int]? = nil) -> [Trajectory] {
        returns.enumerated().map { episode, total in
            let length = lengths?[episode] ?? 4
            var trajectory = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<length {
                trajectory.append(
                    observation: [Float(row), Float(episode)], action: [Float(row)],
                    reward: total / Float(length))
            }
            return trajectory
        }
    }

    private func settings(_ levels: Int?) -> TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.strategy = .uniform
        settings.binCount = 32
        settings.windowLength = 2
        settings.returnLevels = levels
        return settings
    }

    private func levels(_ trajectories: [Trajectory], _ count: Int) throws -> [Int] {
        let data = try TokenizedDataset(trajectories, settings: settings(count))
        let returns = try #require(data.conditions?.returns)
        #expect(returns.count == count && returns.asked == count)
        let tokens = (1...count).map(returns.token)
        #expect(Set(tokens).count == count && tokens == tokens.sorted())
        #expect(tokens[0] > returns.untold && tokens[count - 1] == 31)
        return try data.windows.store.conditions.map { held in
            #expect(held.count == 1)
            return try #require(tokens.firstIndex(of: held[0])) + 1
        }
    }

    @Test func `each level has about as many transitions`() throws {
        #expect(try levels(trajectories([5, 1, 3, 2, 4, 0]), 3) == [3, 1, 2, 2, 3, 1])
        // The best episode is longer than a level is, the next one begins below it.
        #expect(
            try levels(trajectories([9, 1, 2, 3], lengths: [12, 4, 4, 4]), 2) == [2, 1, 1, 1])
        #expect(
            try levels(trajectories([9, 1, 2, 8], lengths: [10, 4, 4, 6]), 2) == [2, 1, 1, 2])
    }

    @Test func `equal returns have one level, and the best the highest`() throws {
        #expect(try levels(trajectories([0, 8, 0, 0, 8, 0]), 4) == [3, 4, 3, 3, 4, 3])
        #expect(try levels(trajectories([2, 2, 2]), 5) == [5, 5, 5])
    }

    @Test func `a level stands in front of every window of its episode, before its goal`() throws {
        var settings = settings(2)
        settings.goalColumns = [1]
        let data = try TokenizedDataset(trajectories([1, 4, 2, 3]), settings: settings)
        #expect(settings.prefixCount == 2 && data.windows.goalDimension == 2)
        #expect(data.dataLayout == layout && data.windows.layout == layout)
        var batch = TokenBatch(rows: 1, length: data.windows.length, goalDimension: 2)
        let expected: [Int32] = [15, 31, 15, 31]
        var untold = 0
        for seed in 0..<400 {
            let window = seed % data.windows.count
            data.windows.fill(&batch, row: 0, window: window, goalSeed: UInt64(seed))
            guard batch.goals[0] != 0 else {
                untold += 1
                continue
            }
            let episode = data.windows.origin(of: window).episode
            #expect(batch.goals[0] == expected[episode])
            #expect(
                Int(batch.goals[1]) == data.discretizer.token(for: Double(episode), dimension: 1))
        }
    }

    @Test func `it stands behind the conditions of columns`() throws {
        var settings = settings(2)
        settings.conditionColumns = [1]
        let data = try TokenizedDataset(trajectories([1, 4, 2, 3]), settings: settings)
        #expect(data.conditions?.count == 2 && data.windows.layout.observationDimension == 1)
        #expect(data.windows.store.conditions.map { $0[1] } == [15, 31, 15, 31])
        #expect(Set(data.windows.store.conditions.map { $0[0] }).count == 4)
    }

    @Test func `what took the place of the last reward is no part of the return`() throws {
        // The best two ended in a terminal state.
        let episodes = trajectories([1, 8, 2, 9]).enumerated().map { index, episode in
            var other = Trajectory(layout: layout, ending: index % 2 == 1 ? .terminal : .timeout)
            for row in 0..<episode.count {
                other.append(
                    observation: [Float(row), 0], action: [0], reward: episode.rewards[row])
            }
            return other
        }
        var settings = settings(2)
        settings.strategy = .quantile
        settings.binCount = 4
        settings.terminationPenalty = .number(-100)
        let data = try TokenizedDataset(episodes, settings: settings)
        #expect(data.windows.store.conditions == [[1], [3], [1], [3]])
    }

    @Test func `a token file gives the same levels`() throws {
        let episodes = trajectories([3, 1, 2, 5, 4, 0], lengths: [5, 3, 4, 2, 6, 4])
        let folder = try TemporaryFolder()
        try TokenFile.write(
            EpisodeList(layout: layout, trajectories: episodes), settings: settings(nil),
            source: .init(name: "x", format: "test"), to: folder.file("tokens"))
        let mapped = try TokenizedDataset(
            TokenFile(contentsOf: folder.file("tokens")), settings: settings(3))
        let whole = try TokenizedDataset(episodes, settings: settings(3))
        #expect(mapped.conditions == whole.conditions && mapped.conditions != nil)
        #expect(mapped.windows.store.conditions == whole.windows.store.conditions)
    }

    @Test(arguments: [1, 0, -3, 32])
    func `numbers of levels that cannot be told apart are refused`(count: Int) {
        let error = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(trajectories([1, 2]), settings: settings(count))
        }
        #expect(error?.detail.contains("returnLevels must lie in [2, 31]") == true)
    }

    @Test func `levels beyond adopted bins are refused, whatever bins the settings have`() throws {
        let bins = try TokenizedDataset(trajectories([1, 2]), settings: settings(nil)).discretizer
        var settings = settings(33)
        settings.binCount = 64
        let error = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(trajectories([1, 2]), settings: settings, discretizer: bins)
        }
        #expect(error?.detail.contains("returnLevels must lie in [2, 31]") == true)
    }

    @Test func `settings without levels are written as they were before there were any`() throws {
        let data = try JSONEncoder().encode(settings(nil))
        #expect(!String(decoding: data, as: UTF8.self).contains("returnLevels"))
        let kept = try JSONDecoder().decode(
            TokenizedDataset.Settings.self, from: JSONEncoder().encode(settings(7)))
        #expect(kept.returnLevels == 7)
    }
}
