import Datasets
import Testing
import Trajectories

@Suite struct DatasetSummaryTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    private func episode(
        _ observations: [Float], actions: [Float], ending: Trajectory.Ending = .terminal
    ) -> Trajectory {
        Trajectory(
            layout: layout, observations: observations, actions: actions,
            rewards: actions.map { 2 * $0 }, ending: ending)
    }

    private func summary(
        _ episodes: [Trajectory], limits: [ClosedRange<Double>]? = nil
    ) -> DatasetSummary {
        DatasetSummary(
            TrajectoryDataset(layout: layout, trajectories: episodes), actionLimits: limits)
    }

    @Test func `every dimension has its range, mean and deviation`() {
        let summary = summary([
            episode([1, 10, 3, 10], actions: [0, 0.5]), episode([5, 10], actions: [1]),
        ])
        #expect(summary.observations.map(\.minimum) == [1, 10])
        #expect(summary.observations.map(\.maximum) == [5, 10])
        #expect(summary.observations.map(\.mean) == [3, 10])
        // The population's deviation of 1, 3, 5.
        #expect(abs(summary.observations[0].standardDeviation - (8.0 / 3).squareRoot()) < 1e-12)
        #expect(summary.observations[1].standardDeviation == 0)
        #expect(summary.actions.map(\.mean) == [0.5])
        #expect(summary.rewards.maximum == 2)
        #expect(summary.returnHistogram.counts.reduce(0, +) == 2)
    }

    @Test func `a constant, a single step and numbers that are none are warned of`() {
        let summary = summary([
            episode([1, 7, .nan, 7], actions: [0, 0.5]), episode([2, 7], actions: [.infinity]),
        ])
        #expect(
            summary.warnings == [
                "observation dimension 0 is NaN or infinite in 1 rows",
                "observation dimension 1 is always 7.0",
                "action dimension 0 is NaN or infinite in 1 rows",
                "reward is NaN or infinite in 1 rows", "1 episode has a single step",
            ])
        // What is not finite is left out of the statistics.
        #expect(summary.observations[0].mean == 1.5)
        #expect(summary.actions[0].maximum == 0.5)
    }

    @Test func `actions beyond the limits are counted, those on them are not`() {
        let episodes = [episode([1, 2, 3, 4, 5, 6, 7, 8], actions: [1, -1.5, 1.25, -1])]
        #expect(summary(episodes).warnings == [])
        #expect(
            summary(episodes, limits: [-1...1]).warnings == [
                "action dimension 0 is outside -1.0...1.0 in 2 rows, furthest at -1.5"
            ])
        // 0.4 is above 0.4 once it is single precision.
        #expect(
            summary([episode([1, 2, 3, 4], actions: [0.4, -0.4])], limits: [-0.4...0.4]).warnings
                == [])
    }
}

@Suite struct HistogramTests {
    @Test func `bounds are round and hold every number once`() {
        let histogram = Histogram([-20.3, 0, 49.9, 50, 100, .nan, .infinity], ranges: 3)
        #expect(histogram.edges == [-50, 0, 50, 100])
        #expect(histogram.counts == [1, 2, 2])
    }

    @Test func `ranges reach to an origin where one is given`() {
        let histogram = Histogram([1000, 1000], ranges: 4, origin: 0)
        #expect(histogram.edges == [0, 250, 500, 750, 1000])
        #expect(histogram.counts == [0, 0, 0, 2])
    }

    @Test func `equal numbers share one range, none have none`() {
        for value in [0.0, 3.5, -1e9, 1e-300] {
            let histogram = Histogram([value, value], ranges: 10)
            #expect(histogram.counts.reduce(0, +) == 2, "\(value)")
            #expect(histogram.counts.count(where: { $0 > 0 }) == 1, "\(value)")
            #expect((histogram.edges.first ?? .nan) <= value, "\(value)")
            #expect((histogram.edges.last ?? .nan) >= value, "\(value)")
        }
        #expect(Histogram([Double.nan], ranges: 4) == Histogram([], ranges: 4))
    }
}
