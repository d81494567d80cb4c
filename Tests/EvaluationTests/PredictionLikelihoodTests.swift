import Foundation
import Evaluation
import Planning
import Testing
import Tokenization

@Suite struct PredictionLikelihoodTests {
    /// A dimension of four bins over 0...2, one of quantiles that repeat, and one that never varies.
    private func discretizer(_ strategy: Discretizer.Strategy = .quantile) -> Discretizer {
        Discretizer(
            strategy: strategy,
            edges: zip(zip([0, 0.5, 1, 1.5, 2], [0, 3, 3, 3, 10]), [7, 7, 7, 7, 7]).flatMap {
                [$0.0, $0.1, $1]
            }, dimension: 3, binCount: 4)
    }

    @Test func `the oracle is the sum of logarithms of bins over range`() {
        let uniform = Discretizer(
            strategy: .uniform, edges: [[0, -5], [0.5, 0], [1, 5]].flatMap(\.self), dimension: 2,
            binCount: 2)
        let density = ObservationDensity(uniform, width: 2)
        #expect(abs(density.oracle(of: [0.3, 4]) - (log(2.0 / 1) + log(2.0 / 10))) < 1e-12)
    }

    @Test func `quantile bins count by their width, at least a ten-thousandth of the range`() {
        let density = ObservationDensity(discretizer(), width: 3)
        // The third dimension does not vary, and does not count.
        #expect(density.dimensions == [0, 1])
        #expect(abs(density.oracle(of: [0.7, 5, 7]) - (log(2) - log(7))) < 1e-12)
        #expect(abs(density.oracle(of: [0.7, 1, 7]) - (log(2) - log(3))) < 1e-12)
        // Of edges that repeat the last bin holds the value 3; nothing falls into those of no width.
        #expect(abs(density.oracle(of: [0.7, 3, 7]) - (log(2) - log(7))) < 1e-12)
        let narrow = Discretizer(
            strategy: .quantile, edges: [0, 1, 1, 10], dimension: 1, binCount: 3)
        let alone = Discretizer(
            strategy: .quantile, edges: [0, 1, 10, 10], dimension: 1, binCount: 3)
        #expect(
            abs(ObservationDensity(narrow, width: 1).oracle(of: [1]) + log(9)) < 1e-12)
        #expect(
            abs(ObservationDensity(alone, width: 1).oracle(of: [10]) + log(1e-3)) < 1e-12)
    }

    @Test func `samples count with one more that is spread over the range`() {
        let density = ObservationDensity(discretizer(), width: 1)
        // Nine samples, of which so many hit, by sums of densities.
        for hits in [0, 4, 9] {
            let expected = log((Double(hits) / 0.5 + 1 / 2) / 10)
            let found = density.logarithm(
                of: [0.7], sums: [Double(hits) / 0.5], samples: 9)
            #expect(abs(found - expected) < 1e-12)
        }
        // What the data hold, without a model: two of three observations in the truth's bin.
        let known = density.logarithms(of: [[0.7]], under: [[0.6], [0.9], [1.9]])
        #expect(abs(known[0] - log((2 / 0.5 + 0.5) / 4)) < 1e-12)
    }

    @Test func `a normal distribution has its density`() {
        let density = ObservationDensity.normal(1, mean: 3, deviation: 2)
        #expect(abs(density - 0.120985362259572) < 1e-12)
        // Far away nothing is left, and the logarithm stays finite.
        let far = ObservationDensity.normal(1e6, mean: 0, deviation: 1e-3)
        #expect(
            far == 0
                && ObservationDensity(discretizer(), width: 1).logarithm(
                    of: [0.7], sums: [far], samples: 5
                ).isFinite)
    }

    @Test func `errors are over episodes`() {
        let likelihood = PredictionLikelihood([[1, 5], [3, 9], [5, 1]])
        #expect(likelihood.byStep == [3, 5] && likelihood.mean == 4)
        // Deviations 2 and 4 of three episodes; of their means 3, 6, 3 the root of 3.
        let root = 3.0.squareRoot()
        #expect(abs((likelihood.standardErrors?[0] ?? 0) - 2 / root) < 1e-12)
        #expect(abs((likelihood.standardErrors?[1] ?? 0) - 4 / root) < 1e-12)
        #expect(abs((likelihood.meanStandardError ?? 0) - 1) < 1e-12)
        #expect(PredictionLikelihood([[1]]).standardErrors == nil)
    }
}
