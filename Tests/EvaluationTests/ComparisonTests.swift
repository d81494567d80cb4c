import Evaluation
import Statistics
import Testing

@Suite struct ComparisonTests {
    private func run(
        _ environment: String, seeds: [UInt64], _ scores: [Double], isNormalized: Bool = true
    ) -> Comparison.Run {
        Comparison.Run(
            environment: environment, seeds: seeds, returns: scores.map { 10 * $0 },
            normalizedScores: isNormalized ? scores : nil)
    }

    @Test func `measures are over environments, of runs where there are enough`() throws {
        let first = [
            run("hopper", seeds: [0, 1], [10, 20]), run("hopper", seeds: [0, 1], [30, 40]),
            run("walker", seeds: [0, 1], [50, 60]), run("walker", seeds: [0, 1], [70, 80]),
        ]
        let second = [
            run("hopper", seeds: [0, 1], [25, 37]), run("hopper", seeds: [0, 1], [26, 36]),
            run("walker", seeds: [0, 1], [90, 90]), run("walker", seeds: [5, 1], [20, 120]),
            run("ant", seeds: [0], [1]),
        ]
        let comparison = try Comparison([("a", first), ("b", second)])
        #expect(comparison.environments == ["hopper", "walker"] && comparison.leftOut == ["ant"])
        #expect(comparison.unit == .runs && comparison.score == .normalized)
        let (a, b) = (comparison.methods[0], comparison.methods[1])
        // Runs: 15, 35 and 55, 75; 31, 31 and 90, 70.
        #expect(a.mean.value == 45 && a.median.value == 45 && a.interquartileMean.value == 45)
        #expect(a.optimalityGap?.value == 55 && a.runs == 4 && a.episodes == 8)
        #expect(b.mean.value == 55.5 && b.environments.map(\.mean.value) == [31, 80])
        // 31 is above 15 alone, twice; 90 above both, 70 above 55.
        #expect(b.probabilityOfImprovement?.value == 0.625)
        #expect(a.probabilityOfImprovement == nil && a.pairedDifference == nil)
        // Starts: hopper 25.5 - 20 and 36.5 - 30; walker 90 - 60 and 105 - 70.
        let pairs = b.environments.map(\.pairedDifference?.value)
        #expect(pairs == [6, 32.5] && b.environments.map(\.pairs) == [2, 2])
        #expect(b.pairedDifference?.value == 19.25)
        // Thresholds 0, 10, to 100.
        #expect(a.profile == [1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25, 0, 0, 0])
        let difference = try #require(b.pairedDifference)
        for estimate: Comparison.Estimate in [a.mean, b.interquartileMean, b.median, difference] {
            let (lower, upper) = (try #require(estimate.lower), try #require(estimate.upper))
            #expect(lower <= estimate.value && estimate.value <= upper)
        }
        #expect(try Comparison([("a", first), ("b", second)]) == comparison)
        let episodes = try Comparison([("a", first), ("b", second)], unit: .episodes)
        #expect(episodes.methods[0].mean.value == 45)
        #expect(episodes.methods[0].profile[1] == 7.0 / 8)
    }

    @Test func `single runs are compared by their episodes, on the starts that both met`() throws {
        let comparison = try Comparison([
            ("a", [run("hopper", seeds: [3, 4, 5, 6], [10, 50, 90, 20])]),
            ("b", [run("hopper", seeds: [6, 7, 5, 4], [21, 0, 92, 51])]),
        ])
        #expect(comparison.unit == .episodes && !comparison.isUneven)
        let difference = try #require(comparison.methods[1].pairedDifference)
        #expect(abs(difference.value - 4.0 / 3) < 1e-12)
        let (lower, upper) = (try #require(difference.lower), try #require(difference.upper))
        #expect(lower >= 1 && upper <= 2)
        #expect(comparison.methods[1].environments[0].pairs == 3)
    }

    @Test func `returns of one environment are compared, of several they are not`() throws {
        let hopper = run("hopper", seeds: [0, 1], [1, 3], isNormalized: false)
        let ant = run("ant", seeds: [0], [2])
        let comparison = try Comparison([("a", [hopper]), ("b", [hopper])])
        #expect(comparison.score == .returns && comparison.methods[0].mean.value == 20)
        #expect(comparison.methods[0].optimalityGap == nil)
        #expect(comparison.thresholds.first == 10 && comparison.thresholds.last == 30)
        #expect(comparison.methods[1].probabilityOfImprovement?.value == 0.5)
        let error = #expect(throws: ComparisonError.self) {
            try Comparison([("a", [hopper, ant])])
        }
        #expect(error?.code == .noNormalizedScore && error?.description.contains("hopper") == true)
        let apart = #expect(throws: ComparisonError.self) {
            try Comparison([("a", [hopper]), ("b", [ant])])
        }
        #expect(apart?.code == .noSharedEnvironment)
        #expect(apart?.description.contains("a in hopper; b in ant") == true)
    }

    @Test func `a single episode has no interval, and no start in common no difference`() throws {
        let comparison = try Comparison([
            ("a", [run("hopper", seeds: [0], [10])]), ("b", [run("hopper", seeds: [1], [20])]),
        ])
        let mean = comparison.methods[0].mean
        #expect(mean.value == 10 && mean.lower == nil && mean.upper == nil)
        #expect(comparison.methods[1].probabilityOfImprovement?.lower == nil)
        #expect(comparison.methods[1].pairedDifference == nil)
        #expect(comparison.methods[1].environments[0].pairedDifference == nil)
    }
}
