import Evaluation
import Testing

@Suite struct PredictionErrorTests {
    @Test func `the error is a root mean square in standard deviations`() {
        let truth = [[[1.0, 10, 7], [2, 20, 7]]]
        let predictions = [[[1.0, 14, 7], [4, 20, 9]]]
        // The last dimension never varies and does not count.
        let error = PredictionError(of: predictions, truth: truth, deviations: [1, 2, 0])
        let root = Double(2).squareRoot()
        #expect(error.byStep == [root, root])
        #expect(error.mean == root && error.trajectories == 1)
    }

    @Test func `samples are averaged step by step`() {
        #expect(
            PredictionError.mean(of: [[[1, 2], [3, 4]], [[3, 2], [5, 0]]]) == [[2, 2], [4, 2]])
    }

    @Test func `standard errors are over episodes, by the jackknife`() {
        let truth = [[[0.0]], [[0.0]], [[0.0]]]
        let error = PredictionError(of: [[[1]], [[2]], [[2]]], truth: truth, deviations: [1])
        // The roots of the mean squares without one of three: 2 once, the root of 5 / 2 twice.
        let values = [2, 2.5.squareRoot(), 2.5.squareRoot()]
        let mean = values.reduce(0, +) / 3
        let expected = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * 2 / 3).squareRoot()
        #expect(error.byStep == [Double(3).squareRoot()])
        #expect(abs((error.standardErrors?[0] ?? 0) - expected) < 1e-12)
        #expect(abs((error.meanStandardError ?? 0) - expected) < 1e-12)
        let single = PredictionError(of: [[[1]]], truth: [[[0]]], deviations: [1])
        #expect(single.standardErrors == nil && single.meanStandardError == nil)
    }
}
