import Testing
import Tokenization
import Trajectories

@Suite struct TransitionRowsTests {
    private func episode(_ ending: Trajectory.Ending) -> Trajectory {
        Trajectory(
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
            observations: [1, 2, 3, 4, 5, 6], actions: [7, 8, 9], rewards: [10, 20, 30],
            ending: ending)
    }

    @Test func `a row is observation, action, reward and value`() {
        let rows = TransitionRows(of: episode(.timeout), discount: 0.5, terminationPenalty: -100)
        #expect(rows.count == 3)
        #expect(rows[0] == [1, 2, 7, 10, 20 + 0.5 * 30])
        #expect(rows[2] == [5, 6, 9, 30, 0])
    }

    @Test func `the penalty takes the place of the last reward and counts into every value`() {
        let rows = TransitionRows(of: episode(.terminal), discount: 0.5, terminationPenalty: -100)
        #expect(rows.rewards == [10, 20, -100])
        #expect(rows.values == [20 - 50, -100, 0])
        let kept = TransitionRows(of: episode(.terminal), discount: 0.5, terminationPenalty: nil)
        #expect(kept.rewards == [10, 20, 30])
    }

    @Test(arguments: [Trajectory.Ending.terminal, .timeout, .unfinished])
    func `a table has the same rows`(_ ending: Trajectory.Ending) {
        let episode = episode(ending)
        let table = TransitionTable(
            [episode], layout: episode.layout, discount: 0.9, terminationPenalty: -1)
        let rows = TransitionRows(of: episode, discount: 0.9, terminationPenalty: -1)
        #expect(table.values == (0..<rows.count).flatMap { rows[$0] })
    }

    @Test func `what is known before an episode has ended lacks the value`() {
        #expect(
            TransitionRows.numbers(observation: [1, 2], action: [3], reward: 4) == [1, 2, 3, 4])
        #expect(
            TransitionRows(
                of: Trajectory(layout: episode(.terminal).layout, ending: .terminal),
                discount: 0.9, terminationPenalty: -1
            ).count == 0)
    }
}
