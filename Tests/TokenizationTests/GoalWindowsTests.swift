import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

@Suite struct GoalWindowsTests {
    private let lengths = [3, 9, 14, 2]

    /// Episodes in which the observation's columns are a constant, the row and the episode.
    private func dataset(
        goalColumns: [Int]?, windowLength: Int = 4, rule: HindsightGoal = .later
    ) throws -> TokenizedDataset {
        let layout = TransitionLayout(observationDimension: 3, actionDimension: 1)
        let trajectories = lengths.enumerated().map { episode, length in
            var trajectory = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<length {
                trajectory.append(
                    observation: [1, Float(row), Float(episode)], action: [Float(row)], reward: 1)
            }
            return trajectory
        }
        var settings = TokenizedDataset.Settings()
        settings.strategy = .uniform
        settings.binCount = 28
        settings.windowLength = windowLength
        settings.goalColumns = goalColumns
        settings.goalRule = rule
        return try TokenizedDataset(trajectories, settings: settings)
    }

    @Test func `a goal is any row after the window, or the last where there is none`() throws {
        let windows = try dataset(goalColumns: [2, 1]).windows
        var batch = TokenBatch(rows: 2, length: windows.length, goalDimension: 2)
        for window in 0..<windows.count {
            let (episode, start) = windows.origin(of: window)
            let later = Array((start + 4)..<max(start + 4, lengths[episode]))
            let rows = later.isEmpty ? [lengths[episode] - 1] : later
            let expected = Set(
                rows.map { row -> [Int] in
                    let tokens = windows.store.transition(
                        windows.store.episodeStarts[episode] + row)
                    return [tokens[2], tokens[1]]
                })
            var seen: Set<[Int]> = []
            for seed in 0..<400 {
                windows.fill(&batch, row: 1, window: window, goalSeed: UInt64(seed))
                seen.insert(batch.goals.suffix(2).map(Int.init))
            }
            #expect(seen == expected, "window \(window)")
            #expect(batch.goals.prefix(2) == [0, 0])
        }
    }

    @Test func `by the paper's rule a goal is where the episode ended, whatever is drawn`() throws {
        let all = try dataset(goalColumns: [2, 1], rule: .last).windows
        let parts = all.split(heldOutFraction: 0.5, seed: 1)
        for windows in [all, all.openings(), parts.training, parts.heldOut] {
            var batch = TokenBatch(rows: 1, length: windows.length, goalDimension: 2)
            for window in 0..<windows.count {
                let episode = windows.origin(of: window).episode
                let last = windows.store.transition(windows.store.episodeStarts[episode + 1] - 1)
                for seed in 0..<4 {
                    windows.fill(&batch, row: 0, window: window, goalSeed: UInt64(seed))
                    #expect(batch.goals.map(Int.init) == [last[2], last[1]], "window \(window)")
                }
            }
        }
    }

    @Test func `a rule for goals without goals is refused`() {
        let error = #expect(throws: DiscretizerError.self) {
            try dataset(goalColumns: nil, rule: .last)
        }
        #expect(error?.description.contains("goalRule last is for goalColumns") == true)
    }

    @Test func `inputs, targets and mask are those without goals`() throws {
        let plain = try dataset(goalColumns: nil).windows
        let conditioned = try dataset(goalColumns: [1]).windows
        #expect(conditioned.count == plain.count)
        let parts = conditioned.split(heldOutFraction: 0.5, seed: 1)
        #expect(parts.training.goalColumns == [1] && parts.heldOut.goalColumns == [1])
        var batches = (
            TokenBatch(rows: 1, length: plain.length),
            TokenBatch(rows: 1, length: plain.length, goalDimension: 1)
        )
        for window in 0..<plain.count {
            plain.fill(&batches.0, row: 0, window: window)
            conditioned.fill(&batches.1, row: 0, window: window, goalSeed: 5)
            #expect(batches.0.inputs == batches.1.inputs)
            #expect(batches.0.targets == batches.1.targets)
            #expect(batches.0.mask == batches.1.mask)
        }
    }

    @Test(arguments: [([Int](), "empty"), ([1, 1], "twice"), ([0, 3], "column 3"), ([-1], "-1")])
    func `goal columns that cannot be are named`(columns: [Int], part: String) throws {
        let error = #expect(throws: DiscretizerError.self) { try dataset(goalColumns: columns) }
        #expect(error?.description.contains(part) == true)
    }

    @Test func `settings from before goals have none`() throws {
        let data = try JSONEncoder().encode(TokenizedDataset.Settings())
        #expect(!String(decoding: data, as: UTF8.self).contains("goalColumns"))
        let decoded = try JSONDecoder().decode(TokenizedDataset.Settings.self, from: data)
        #expect(decoded.goalColumns == nil && decoded.goalRule == .later)
        var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object.removeValue(forKey: "goalRule") as? String == "later")
        let older = try JSONSerialization.data(withJSONObject: object)
        #expect(try JSONDecoder().decode(TokenizedDataset.Settings.self, from: older) == decoded)
    }
}
