import Environments
import Episodes
import Testing
import Trajectories

@Suite struct VectorEnvironmentTests {
    private func actions(_ count: Int, _ width: Int, step: Int) -> [[Double]] {
        (0..<count).map { copy in
            (0..<width).map { Double((copy * 7 + step * 3 + $0 * 5) % 11) / 5 - 1 }
        }
    }

    @Test(arguments: [1, 2, 3])
    func `copies do what single environments do, episode after episode`(workers: Int) throws {
        let (count, seed) = (5, UInt64(11))
        let vector = try VectorEnvironment(count: count, workers: workers) {
            try EnvironmentRegistry.make("walker2d")
        }
        let singles = try (0..<count).map { _ in try EnvironmentRegistry.make("walker2d") }
        var seeds = (0..<count).map { seed + UInt64($0) }
        var observations = zip(singles, seeds).map { $0.reset(seed: $1) }
        #expect(vector.reset(seed: seed) == observations)
        var ended = 0
        for t in 0..<80 {
            let actions = actions(count, 6, step: t)
            let step = vector.step(actions)
            for index in 0..<count {
                let expected = singles[index].step(actions[index])
                #expect(step.rewards[index] == expected.reward)
                #expect(step.isTerminated[index] == expected.isTerminated)
                #expect(!step.isTruncated[index])
                observations[index] = expected.observation
                if expected.isTerminated {
                    ended += 1
                    #expect(step.finalObservations[index] == expected.observation)
                    seeds[index] += UInt64(count)
                    observations[index] = singles[index].reset(seed: seeds[index])
                } else {
                    #expect(step.finalObservations[index] == nil)
                }
            }
            #expect(step.observations == observations)
        }
        #expect(ended > count)
    }

    @Test func `the time limit truncates and begins anew`() throws {
        let vector = try VectorEnvironment(count: 2) {
            try EnvironmentRegistry.make("pointmaze-umaze")
        }
        let start = vector.reset(seed: 4)
        let steps = (0..<300).map { _ in vector.step([[0, 0], [0, 0]]) }
        #expect(steps.dropLast().allSatisfy { $0.isTruncated == [false, false] })
        #expect(steps[299].isTruncated == [true, true])
        #expect(Set(steps[299].finalObservations.keys) == [0, 1])
        #expect(steps[299].observations != start)
    }
}
