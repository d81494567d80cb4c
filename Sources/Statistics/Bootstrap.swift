import RandomNumbers

/// Stratified bootstrap: intervals of measures, by drawing runs anew within each task.
///
/// The percentile intervals of Agarwal et al. 2021, section 4.1, as `rliable` computes them: each
/// draw takes for each task as many runs as it has, with replacement and independently of the other
/// tasks; the interval lies between percentiles of the measure over the draws, interpolated
/// linearly. The same seed gives the same draws.
public struct Bootstrap: Sendable, Hashable {
    /// Number of draws.
    public var draws = 2000
    /// Share of the draws that an interval holds.
    public var confidence = 0.95
    /// Decides on the draws.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}

    /// Between which numbers each of the measures lies.
    ///
    /// - Parameters:
    ///   - scores: A method's.
    ///   - measures: The same number of measures for any scores of that shape.
    /// - Returns: An interval for each measure.
    public func intervals(
        of scores: TaskScores, _ measures: (TaskScores) -> [Double]
    ) -> [ClosedRange<Double>] {
        var numbers = Numbers(seed: seed, stream: 0)
        return intervals { _ in measures(scores.drawn(by: numbers.indices(scores))) }
    }

    /// Between which numbers a measure of two methods lies, whose runs are drawn independently.
    public func interval(
        of first: TaskScores, _ second: TaskScores,
        _ measure: (TaskScores, TaskScores) -> Double
    ) -> ClosedRange<Double> {
        var (numbers, others) = (Numbers(seed: seed, stream: 0), Numbers(seed: seed, stream: 1))
        return intervals { _ in
            [
                measure(
                    first.drawn(by: numbers.indices(first)),
                    second.drawn(by: others.indices(second)))
            ]
        }[0]
    }

    /// The intervals of measures that `draw` gives for each number of a draw.
    package func intervals(draw: (Int) -> [Double]) -> [ClosedRange<Double>] {
        precondition(
            draws > 0 && 0 < confidence && confidence < 1,
            "\(draws) draws for a share of \(confidence)")
        let results = (0..<draws).map(draw)
        return results[0].indices.map { measure in
            let sorted = results.map { $0[measure] }.sorted()
            let tail = (1 - confidence) / 2
            let lower = Self.quantile(tail, of: sorted)
            // Rounding must not turn an interval of one number around.
            return lower...max(lower, Self.quantile(1 - tail, of: sorted))
        }
    }

    /// The quantile of sorted numbers, interpolated linearly between neighbours.
    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = min(Int(place), sorted.count - 1)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }

    /// Which runs are drawn.
    private struct Numbers {
        private let numbers: CounterNumbers
        private var next: UInt64 = 0

        init(seed: UInt64, stream: UInt64) {
            numbers = CounterNumbers(seed: seed, stream: stream)
        }

        /// For each task as many of its runs as it has.
        mutating func indices(_ scores: TaskScores) -> [[Int]] {
            scores.tasks.map { runs in
                runs.indices.map { _ in
                    defer { next += 1 }
                    return numbers.number(next, below: runs.count)
                }
            }
        }
    }
}

extension TaskScores {
    /// The runs of these numbers, task by task.
    package func drawn(by indices: [[Int]]) -> TaskScores {
        TaskScores(zip(tasks, indices).map { runs, chosen in chosen.map { runs[$0] } })
    }
}
