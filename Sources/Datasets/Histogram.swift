import Foundation

/// How many numbers fall into each of some ranges of equal width with round bounds.
public struct Histogram: Sendable, Equatable, Codable {
    /// Bounds of the ranges, rising, one more than there are ranges.
    public let edges: [Double]
    /// Numbers in each range; a bound belongs to the range above it, the last one to the last
    /// range.
    public let counts: [Int]

    /// Counts `values`, NaN and infinity left out, in about `ranges` ranges.
    ///
    /// Their width is 1, 2, 2.5 or 5 times a power of ten and their bounds are multiples of it.
    /// They reach to `origin` too, if that is given. Without a finite value there is no range.
    public init(_ values: some Collection<Double>, ranges: Int, origin: Double? = nil) {
        precondition(ranges > 0, "a histogram of \(ranges) ranges")
        let finite = values.filter(\.isFinite)
        guard let least = finite.min(), let most = finite.max() else {
            (edges, counts) = ([], [])
            return
        }
        let (minimum, maximum) = (min(least, origin ?? least), max(most, origin ?? most))
        let width = Histogram.roundWidth(
            atLeast: (maximum - minimum) / Double(ranges), near: maximum.magnitude)
        let first = (minimum / width).rounded(.down)
        // At least one, where all values are the same multiple of the width.
        let count = max(1, Int((maximum / width).rounded(.up) - first))
        var counts = Array(repeating: 0, count: count)
        for value in finite {
            let position = Int((value / width - first).rounded(.down))
            counts[min(max(position, 0), count - 1)] += 1
        }
        // Adding 0 turns -0 into 0.
        edges = (0...count).map { (first + Double($0)) * width + 0 }
        self.counts = counts
    }

    /// The smallest round width that is not below `width`; for none, one that fits `magnitude`.
    private static func roundWidth(atLeast width: Double, near magnitude: Double) -> Double {
        // Below this, a bound could not be told from the next one.
        let smallest = max(magnitude * 1e-12, .leastNormalMagnitude * 1e12)
        guard width > smallest else { return magnitude > 0 ? max(magnitude * 0.1, smallest) : 1 }
        let power = pow(10, log10(width).rounded(.down))
        return [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= width * (1 - 1e-9) }
            ?? 10 * power
    }
}
