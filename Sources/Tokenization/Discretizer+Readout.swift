/// How a percentile of a distribution over bins is turned into a number.
public enum PercentileReadout: String, Sendable, Hashable, CaseIterable, Codable {
    /// The centre of the bin in which the percentile of the bins' own mass lies; the mass of the
    /// termination token is left out by renormalising.
    case exact
    /// What the authors' code computes, to reproduce their results: one bin lower; where that bin
    /// would be below the first, or the mass never exceeds the percentile, the middle of the whole
    /// range. Not renormalised.
    case authors
}

extension Discretizer {
    /// The mean of a distribution over bins.
    ///
    ///     sum over bins k of p[k] * centre[k]
    ///
    /// Not renormalised: mass on the termination token counts as zero.
    ///
    /// - Parameters:
    ///   - probabilities: One for each bin; more entries, such as the termination token's, are
    ///     ignored.
    ///   - index: The dimension whose bins they are.
    /// - Returns: The mean of the bins' centres under the distribution.
    public func expectation(of probabilities: some Collection<Float>, dimension index: Int)
        -> Double
    {
        let centers = columnCenters(index)
        precondition(
            probabilities.count >= binCount,
            "\(probabilities.count) probabilities do not cover \(binCount) bins")
        // The contiguous path is the common one and is specialized here, once for all callers.
        return probabilities.withContiguousStorageIfAvailable { Self.dot($0, centers) }
            ?? Self.dot(probabilities, centers)
    }

    /// A percentile of a distribution over bins, as the centre of a bin.
    ///
    /// - Parameters:
    ///   - fraction: The percentile as a fraction, such as 0.8.
    ///   - probabilities: One for each bin; more entries, such as the termination token's, are
    ///     ignored.
    ///   - index: The dimension whose bins they are.
    ///   - readout: How the percentile is turned into a number.
    /// - Returns: The percentile's value; with ``PercentileReadout/exact``, 0 where the bins hold
    ///   no mass at all.
    public func percentile(
        _ fraction: Double, of probabilities: some Collection<Float>, dimension index: Int,
        readout: PercentileReadout = .exact
    ) -> Double {
        precondition(
            probabilities.count >= binCount,
            "\(probabilities.count) probabilities do not cover \(binCount) bins")
        let masses = Array(probabilities.prefix(binCount))
        switch readout {
        case .exact:
            let total = masses.reduce(0) { $0 + Double($1) }
            guard total > 0 else { return 0 }
            let last = masses.lastIndex { $0 > 0 } ?? 0
            let bin = Self.firstIndex(exceeding: fraction * total, in: masses) ?? last
            return value(of: bin, dimension: index)
        case .authors:
            let edges = columnEdges(index)
            let bin = Self.firstIndex(exceeding: fraction, in: masses) ?? 0
            let lower = edges.startIndex + (bin + binCount) % (binCount + 1)
            return (edges[lower] + edges[edges.startIndex + bin]) / 2
        }
    }

    private static func dot(_ weights: some Collection<Float>, _ values: ArraySlice<Double>)
        -> Double
    {
        var sum = 0.0
        for (weight, value) in zip(weights, values) { sum += Double(weight) * value }
        return sum
    }

    private static func firstIndex(exceeding threshold: Double, in masses: [Float]) -> Int? {
        var sum = 0.0
        return masses.firstIndex { mass in
            sum += Double(mass)
            return sum > threshold
        }
    }
}
