import Tokenization
import Testing
import Trajectories

@Suite struct TokenUsageTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    /// 200 steps: a ramp, mostly zeros, a constant.
    private var episode: Trajectory {
        let observations = (0..<200).flatMap { [Float($0), $0 < 150 ? 0 : Float($0)] }
        return Trajectory(
            layout: layout, observations: observations, actions: Array(repeating: 1, count: 200),
            rewards: (0..<200).map(Float.init))
    }

    @Test func `even, uneven and constant dimensions are told apart`() throws {
        let usage = try TokenUsage.measure([episode], layout: layout)
        #expect(usage.count == layout.transitionDimension)
        #expect(usage[0].usedBins == 100 && usage[0].duplicateBins == 0)
        #expect(abs(usage[0].effectiveBins - 100) < 1e-9)
        #expect(abs(usage[0].largestShare - 0.01) < 1e-12)
        // 150 zeros take the first 75 of 100 quantiles, of which one is left.
        #expect(usage[1].duplicateBins == 74 && usage[1].usedBins == 26)
        #expect(usage[1].largestShare == 0.75)
        #expect(usage[1].effectiveBins < 5)
        #expect(usage[2].usedBins == 1 && usage[2].duplicateBins == 99)
        #expect(usage[2].effectiveBins == 1)
        for dimension in usage {
            #expect(dimension.usedBins + dimension.duplicateBins <= 100)
            #expect(dimension.counts.reduce(0, +) == 200)
        }
    }

    @Test func `too few rows are refused`() {
        let short = Trajectory(
            layout: layout, observations: [1, 2], actions: [1], rewards: [1])
        let error = #expect(throws: DiscretizerError.self) {
            try TokenUsage.measure([short], layout: layout)
        }
        #expect(error?.code == .tooFewRows)
    }
}
