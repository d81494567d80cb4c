import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

/// What of an observation holds for a whole episode.
@Suite struct ConditionsTests {
    private let layout = TransitionLayout(observationDimension: 4, actionDimension: 1)

    /// Episodes whose columns are the row, a map, the row again and another map.
    private func trajectories(lengths: [Int] = [3, 0, 9, 5]) -> [Trajectory] {
        lengths.enumerated().map { episode, length in
            var trajectory = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<length {
                trajectory.append(
                    observation: [Float(row), Float(episode), Float(2 * row), Float(7 - episode)],
                    action: [Float(row)], reward: 1)
            }
            return trajectory
        }
    }

    private func settings(
        _ conditions: [Int]? = [3, 1], goals: [Int]? = [2]
    ) -> TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.strategy = .uniform
        settings.binCount = 16
        settings.windowLength = 2
        settings.goalColumns = goals
        settings.conditionColumns = conditions
        return settings
    }

    @Test func `conditions stand in front of the goal, once, in the order they are named in`()
        throws
    {
        let data = try TokenizedDataset(trajectories(), settings: settings())
        let bins = try #require(data.conditions?.discretizer)
        #expect(data.windows.goalDimension == 3 && data.dataLayout == layout)
        var batch = TokenBatch(rows: 2, length: data.windows.length, goalDimension: 3)
        // Empty episodes are left out of the windows.
        let episodes = [0, 2, 3]
        for window in 0..<data.windows.count {
            let (episode, _) = data.windows.origin(of: window)
            data.windows.fill(&batch, row: 1, window: window)
            let number = Double(episodes[episode])
            #expect(
                batch.goals.suffix(3).prefix(2).map(Int.init)
                    == [
                        bins.token(for: 7 - number, dimension: 0),
                        bins.token(for: number, dimension: 1),
                    ])
        }
        #expect(
            Set((0..<data.windows.count).map { data.windows.origin(of: $0).episode }) == [0, 1, 2])
    }

    @Test func `windows and goals are those of data without the columns`() throws {
        let whole = try TokenizedDataset(trajectories(), settings: settings())
        let rest = try TokenizedDataset(
            trajectories().map { $0.withoutObservationColumns([3, 1]) },
            settings: settings(nil, goals: [1]))
        #expect(whole.windows.layout.observationDimension == 2)
        #expect(whole.discretizer == rest.discretizer && whole.windows.count == rest.windows.count)
        var one = TokenBatch(rows: 1, length: whole.windows.length, goalDimension: 3)
        var other = TokenBatch(rows: 1, length: rest.windows.length, goalDimension: 1)
        for window in 0..<whole.windows.count {
            whole.windows.fill(&one, row: 0, window: window, goalSeed: UInt64(window))
            rest.windows.fill(&other, row: 0, window: window, goalSeed: UInt64(window))
            #expect(one.inputs == other.inputs && one.targets == other.targets)
            #expect(one.mask == other.mask && one.goals.suffix(1) == other.goals[...])
        }
    }

    @Test func `whole numbers are kept apart however rare`() throws {
        var episodes = trajectories(lengths: Array(repeating: 2, count: 40)).map { episode in
            var other = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<2 {
                other.append(
                    observation: [Float(row), 0, 0, 0], action: [0], reward: episode.rewards[0])
            }
            return other
        }
        for (episode, value) in [Float(1), 2, 3].enumerated() {
            var rare = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<2 {
                rare.append(observation: [Float(row), value, 0, 0], action: [0], reward: 0)
            }
            episodes[episode] = rare
        }
        var settings = settings([1], goals: nil)
        settings.strategy = .quantile
        let data = try TokenizedDataset(episodes, settings: settings)
        #expect(Set(data.windows.store.conditions).count == 4)
    }

    @Test func `a column that changes is refused, with episode, row and column`() {
        let error = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(trajectories(), settings: settings([0, 1]))
        }
        #expect(error?.dimension == 0)
        #expect(error?.detail.contains("row 1 of episode 0") == true)
        #expect(error?.detail.contains("condition columns") == true)
    }

    @Test func `a condition that is no number is refused, with fitted bins as with new ones`()
        throws
    {
        var episodes = trajectories()
        var broken = Trajectory(layout: layout, ending: .timeout)
        broken.append(observation: [0, .infinity, 0, 1], action: [0], reward: 0)
        episodes.append(broken)
        let bins = try TokenizedDataset(trajectories(), settings: settings()).discretizer
        for bins in [nil, bins] {
            let error = #expect(throws: DiscretizerError.self) {
                try TokenizedDataset(episodes, settings: settings(), bins: bins)
            }
            #expect(error?.code == .notFinite && error?.dimension == 1)
            #expect(error?.detail.contains("episode 4") == true)
        }
    }

    @Test func `a number that is none is named by its column in the data`() {
        var episodes = trajectories()
        var broken = Trajectory(layout: layout, ending: .timeout)
        for row in 0..<2 {
            broken.append(observation: [0, 1, .nan, 1], action: [Float(row)], reward: 0)
        }
        episodes.append(broken)
        let error = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(episodes, settings: settings())
        }
        #expect(error?.code == .notFinite && error?.dimension == 2)
    }

    @Test func `numbers outside adopted bins are counted without the conditions`() throws {
        let bins = try TokenizedDataset(trajectories(), settings: settings()).discretizer
        #expect(bins.remark(on: trajectories(), besides: [3, 1]) == nil)
        let far = trajectories(lengths: [9]).map { episode in
            var other = Trajectory(layout: layout, ending: .timeout)
            for _ in 0..<episode.count {
                other.append(observation: [99, 0, 0, 0], action: [0], reward: 1)
            }
            return other
        }
        #expect(bins.remark(on: far, besides: [3, 1])?.contains("outside the bins") == true)
    }

    @Test(
        arguments: [
            ([], nil, "conditionColumns is empty"), ([1, 1], nil, "twice"), ([4], nil, "column 4"),
            ([1], [1], "both"), ([0, 1, 2, 3], nil, "all columns"),
        ] as [([Int], [Int]?, String)])
    func `columns that cannot be conditions are refused`(
        columns: [Int], goals: [Int]?, reason: String
    ) {
        let error = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(trajectories(), settings: settings(columns, goals: goals))
        }
        #expect(error?.detail.contains(reason) == true)
    }

    @Test func `what cannot be had together is refused`() throws {
        func problem(_ change: (inout TokenizedDataset.Settings) -> Void) -> String? {
            var settings = settings(goals: nil)
            change(&settings)
            let error = #expect(throws: DiscretizerError.self) {
                try TokenizedDataset(trajectories(), settings: settings)
            }
            return error?.detail
        }
        #expect(problem { $0.hiding = Hiding(probability: 0.5) }?.contains("hiding") == true)
        #expect(
            problem { $0.discrete = [DiscreteColumn(column: 4, count: 9)] }?
                .contains("discrete columns") == true)
        let folder = try TemporaryFolder()
        let error = #expect(throws: DiscretizerError.self) {
            try TokenFile.write(
                EpisodeList(layout: layout, trajectories: trajectories()), settings: settings(),
                source: .init(name: "x", format: "test"), to: folder.file("tokens"))
        }
        #expect(error?.detail.contains("token files") == true)
    }

    @Test func `settings without conditions are written as they were before there were any`() throws
    {
        let data = try JSONEncoder().encode(settings(nil))
        #expect(!String(decoding: data, as: UTF8.self).contains("condition"))
        let kept = try JSONDecoder().decode(
            TokenizedDataset.Settings.self, from: JSONEncoder().encode(settings()))
        #expect(kept.conditionColumns == [3, 1])
    }
}
