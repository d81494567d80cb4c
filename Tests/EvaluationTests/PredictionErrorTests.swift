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
}
