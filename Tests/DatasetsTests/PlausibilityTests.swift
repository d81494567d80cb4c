import Datasets
import Foundation
import TestSupport
import Testing
import Trajectories

/// What looks wrong in data, and what only looks unusual.
@Suite struct PlausibilityTests {
    private let layout = TransitionLayout(observationDimension: 6, actionDimension: 2)

    /// Episodes that drift slowly, with speeds that are noise; each begins where others do.
    private func episodes(_ lengths: [Int], seed: UInt64 = 7) -> [Trajectory] {
        var generator = SeededGenerator(seed: seed)
        return lengths.map { length in
            var place = (0..<4).map { _ in generator.float(in: -0.1...0.1) }
            var episode = Trajectory(layout: layout, ending: .timeout)
            for _ in 0..<length {
                for index in 0..<4 {
                    place[index] += 0.02 * Float(index + 1) * generator.float(in: 0...2)
                }
                let speeds = (0..<2).map { _ in generator.float(in: -1...1) }
                episode.append(
                    observation: place + speeds, action: [speeds[1], speeds[0]], reward: 1)
            }
            return episode
        }
    }

    private func joined(_ episodes: [Trajectory]) -> Trajectory {
        Trajectory(
            layout: layout, observations: episodes.flatMap(\.observations),
            actions: episodes.flatMap(\.actions), rewards: episodes.flatMap(\.rewards))
    }

    @Test func `whole episodes are in order`() {
        #expect(Plausibility.warnings(of: episodes([200, 300, 250, 100])) == [])
        // A goal that moves, in two of six dimensions, is no other episode.
        var goals = episodes([300])[0]
        goals = Trajectory(
            layout: layout,
            observations: goals.observations.enumerated().map { index, value in
                index % 6 < 2 ? (index / 6 > 150 ? 40 : -40) : value
            }, actions: goals.actions, rewards: goals.rewards)
        #expect(Plausibility.warnings(of: [goals]) == [])
        #expect(Plausibility.warnings(of: []) == [])
    }

    @Test func `episodes without marks between them are noticed, with the row`() {
        let parts = episodes([200, 300, 250])
        #expect(
            Plausibility.warnings(of: [joined(parts)]) == [
                "observations jump within episodes 2 times, first after row 199: are all ends of "
                    + "episodes marked?"
            ])
        let once = Plausibility.warnings(of: [parts[0], joined([parts[1], parts[2]])])
        #expect(once.count == 1 && once[0].contains("once, first after row 499"))
    }

    @Test func `rows that were never written are noticed, in one array or both`() {
        var episode = episodes([600])[0]
        func written(observations: Int, actions: Int) -> [String] {
            func cut(_ values: [Float], _ width: Int, _ rows: Int) -> [Float] {
                values.prefix(rows * width) + Array(repeating: 0, count: (600 - rows) * width)
            }
            return Plausibility.warnings(of: [
                Trajectory(
                    layout: layout, observations: cut(episode.observations, 6, observations),
                    actions: cut(episode.actions, 2, actions), rewards: episode.rewards)
            ])
        }
        #expect(
            written(observations: 300, actions: 300) == [
                "observations and actions are all 0 in the last 300 of 600 rows: was the file "
                    + "written to its end?"
            ])
        #expect(
            written(observations: 598, actions: 600).first?.hasPrefix("observations are") == true)
        #expect(written(observations: 600, actions: 590).first?.hasPrefix("actions are") == true)
        // One row may be a start at the origin; a few actions, rest.
        #expect(written(observations: 599, actions: 591) == [])
        episode.ending = .terminal
        // Across episodes: none of the last ones was written.
        let none = Trajectory(
            layout: layout, observations: Array(repeating: 0, count: 60),
            actions: Array(repeating: 0, count: 20), rewards: Array(repeating: 0, count: 10))
        let tail = Plausibility.warnings(of: [episode, none, none])
        #expect(tail.count == 1 && tail[0].contains("last 20 of 620 rows"), "\(tail)")
    }

    @Test func `a stream tells the same once it was read twice`() throws {
        let data = [joined(episodes([2000, 2500, 3000]))]
        let stream = WatchedStream(EpisodeList(layout: layout, trajectories: data))
        for _ in 0..<3 {
            try stream.forEachEpisode { _ in }
            try stream.forEachEpisodeRewards { _, _ in }
        }
        #expect(stream.warnings == Plausibility.warnings(of: data))
        #expect(stream.warnings.first?.contains("2 times") == true)
    }
}
