import Foundation
import Statistics
import TestSupport
import Testing

/// What `rliable` 1.2.0 gave for two matrices (Benchmarks/python/statistics_fixture.py).
private struct Recorded: Decodable {
    let first, second: [[Double]]
    let gamma: Double
    let measures: [String: [Double]]
    let improvement, improvementOverItself: Double
    let thresholds, profile: [Double]
    /// For each draw the runs of each task; of pairs those of `second`, then of `first`.
    let draws: [[[Int]]]
    let pairDraws: [[[[Int]]]]
    let intervals, manyIntervals: [[Double]]
    let improvementInterval, manyImprovementInterval: [Double]

    static func load() throws -> Recorded {
        try GoldenData(Bundle.module).json("rliable.json", as: Recorded.self, snakeCase: true)
    }

    /// The measures in the order in which they are recorded.
    func measures(of scores: TaskScores) -> [Double] {
        [scores.interquartileMean, scores.mean, scores.median, scores.optimalityGap(below: gamma)]
    }
}

@Suite struct TaskScoresTests {
    private func expectEqual(
        _ found: [Double], _ expected: [Double], within error: Double = 1e-12,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, sourceLocation: location)
        for (number, other) in zip(found, expected) {
            #expect(
                abs(number - other) <= error * max(1, abs(other)), "\(found) for \(expected)",
                sourceLocation: location)
        }
    }

    @Test func `measures, probability of improvement and profile are rliable's`() throws {
        let recorded = try Recorded.load()
        let (first, second) = (TaskScores(recorded.first), TaskScores(recorded.second))
        expectEqual(recorded.measures(of: first), try #require(recorded.measures["first"]))
        expectEqual(recorded.measures(of: second), try #require(recorded.measures["second"]))
        expectEqual(
            [
                second.probabilityOfImprovement(over: first),
                first.probabilityOfImprovement(over: first),
            ], [recorded.improvement, recorded.improvementOverItself])
        expectEqual(first.profile(at: recorded.thresholds), recorded.profile)
    }

    @Test func `intervals are rliable's where the draws are`() throws {
        let recorded = try Recorded.load()
        let (first, second) = (TaskScores(recorded.first), TaskScores(recorded.second))
        var bootstrap = Bootstrap()
        bootstrap.draws = recorded.draws.count
        let intervals = bootstrap.intervals {
            recorded.measures(of: first.drawn(by: recorded.draws[$0]))
        }
        for (interval, expected) in zip(intervals, recorded.intervals) {
            expectEqual([interval.lowerBound, interval.upperBound], expected)
        }
        #expect(intervals.count == 4)
        bootstrap.confidence = 0.9
        let interval = bootstrap.intervals { draw in
            let drawn = recorded.pairDraws[draw]
            return [
                second.drawn(by: drawn[0])
                    .probabilityOfImprovement(over: first.drawn(by: drawn[1]))
            ]
        }[0]
        expectEqual([interval.lowerBound, interval.upperBound], recorded.improvementInterval)
    }

    // A bound of 20,000 draws has a standard error of √(0.025 · 0.975 / 20,000) / density: below
    // 0.3 points here, below 0.003 for a probability. Recorded were those of 50,000.
    @Test func `intervals of our own draws are rliable's within the error of drawing`() throws {
        let recorded = try Recorded.load()
        let (first, second) = (TaskScores(recorded.first), TaskScores(recorded.second))
        var bootstrap = Bootstrap()
        bootstrap.draws = 20_000
        bootstrap.seed = 3
        print("seed \(bootstrap.seed)")
        let intervals = bootstrap.intervals(of: first, recorded.measures)
        for (interval, expected) in zip(intervals, recorded.manyIntervals) {
            #expect(abs(interval.lowerBound - expected[0]) < 1, "\(interval) for \(expected)")
            #expect(abs(interval.upperBound - expected[1]) < 1, "\(interval) for \(expected)")
        }
        let interval = bootstrap.interval(of: second, first) {
            $0.probabilityOfImprovement(over: $1)
        }
        let expected = recorded.manyImprovementInterval
        #expect(abs(interval.lowerBound - expected[0]) < 0.012, "\(interval) for \(expected)")
        #expect(abs(interval.upperBound - expected[1]) < 0.012, "\(interval) for \(expected)")
        #expect(bootstrap.intervals(of: first, recorded.measures) == intervals)
        bootstrap.seed = 4
        #expect(bootstrap.intervals(of: first, recorded.measures) != intervals)
    }

    @Test func `a difference of pairs is sure where the starts alone vary`() {
        // The starts differ by up to 40 points, the methods by 1 to 3.
        let first = TaskScores([[10, 20, 30, 40, 50], [0, 40, 80, 20, 60]])
        let second = TaskScores([[12, 21, 33, 41, 52], [2, 42, 83, 21, 61]])
        let difference = TaskScores.differences(from: first, to: second)
        #expect(difference.tasks[0] == [2, 1, 3, 1, 2])
        #expect(abs(difference.mean - (second.mean - first.mean)) < 1e-12)
        let bootstrap = Bootstrap()
        let paired = bootstrap.intervals(of: difference) { [$0.mean] }[0]
        #expect(1 <= paired.lowerBound && paired.upperBound <= 3 && paired.contains(1.8))
        let apart = bootstrap.interval(of: first, second) { $1.mean - $0.mean }
        #expect(apart.lowerBound < -10 && apart.upperBound > 10)
    }

    @Test func `tasks of unequal runs, ties and single runs are measured as defined`() {
        let scores = TaskScores([[1, 3], [10, 20, 30, 40]])
        #expect(scores.taskMeans == [2, 25] && scores.mean == 13.5 && scores.median == 13.5)
        // Of 1, 3, 10, 20, 30, 40 one goes at either end.
        #expect(scores.interquartileMean == 15.75)
        let other = TaskScores([[1, 2], [30]])
        // 1: half of a tie; 3: both. 10, 20: none; 30: half; 40: all.
        #expect(scores.probabilityOfImprovement(over: other) == (2.5 / 4 + 1.5 / 4) / 2)
        let single = TaskScores([[7]])
        #expect(single.interquartileMean == 7 && single.profile(at: [6.9, 7]) == [1, 0])
        #expect(Bootstrap().intervals(of: single) { [$0.mean] } == [7...7])
    }
}
