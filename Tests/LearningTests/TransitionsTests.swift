import Learning
import RandomNumbers
import Testing
import Trajectories

@Suite struct TransitionsTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    private func episode(from first: Float, count: Int, _ ending: Trajectory.Ending) -> Trajectory {
        var trajectory = Trajectory(layout: layout, ending: ending)
        for row in 0..<count {
            let number = first + Float(row)
            trajectory.append(
                observation: [number, -number], action: [number / 10], reward: 100 * number)
        }
        return trajectory
    }

    @Test func `a terminal last row stays, one that was cut is left out`() {
        let transitions = Transitions(
            [
                episode(from: 1, count: 3, .terminal), episode(from: 5, count: 2, .timeout),
                episode(from: 7, count: 1, .unfinished), episode(from: 9, count: 1, .terminal),
            ], layout: layout)
        #expect(transitions.count == 5)
        #expect(transitions.observations == [1, -1, 2, -2, 3, -3, 5, -5, 9, -9])
        #expect(transitions.nextObservations == [2, -2, 3, -3, 3, -3, 6, -6, 9, -9])
        #expect(transitions.actions == [0.1, 0.2, 0.3, 0.5, 0.9])
        #expect(transitions.rewards == [100, 200, 300, 500, 900])
        #expect(transitions.isTerminal == [false, false, true, false, true])
    }

    @Test func `mean and deviation are those of each dimension, and a constant is harmless`() {
        let normalization = Normalization(of: [1, 7, 5, 7, 3, 7], width: 2)
        #expect(normalization.mean == [3, 7])
        let deviation = Float((8.0 / 3).squareRoot() + 1e-3)
        #expect(abs(normalization.deviation[0] - deviation) < 1e-6)
        #expect(normalization.deviation[1] == 1e-3)
    }

    @Test func `batches depend on the seed alone and reach every row`() {
        func rows(seed: UInt64) -> [Int] {
            var sampler = MinibatchSampler(
                rowCount: 10, size: 7, generator: SplitMix64(seed: seed))
            return (0..<30).flatMap { _ in sampler.next() }
        }
        #expect(rows(seed: 1) == rows(seed: 1))
        #expect(rows(seed: 1) != rows(seed: 2))
        #expect(Set(rows(seed: 1)) == Set(0..<10))
    }
}
