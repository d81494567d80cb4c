public import Planning
public import Tokenization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Densities of observations, in their own units, from samples of tokens or normal distributions.
///
/// A token stands for its bin, over whose width its probability is spread. Three rules keep the
/// logarithm finite and the methods comparable:
/// - dimensions that do not vary in the data that the bins were fitted to do not count;
/// - a bin narrower than a ten-thousandth of its dimension's range counts as that wide, since
///   quantiles of values that repeat lie at one place;
/// - to the `n` samples comes one that is spread evenly over the dimension's range, so that what no
///   sample foresaw costs the logarithm of `n + 1` more than knowing the range alone.
public struct ObservationDensity: Sendable {
    /// Dimensions of the observation that count.
    public let dimensions: [Int]
    private let discretizer: Discretizer
    /// Of each dimension, whether it counts or not.
    private let ranges: [Double]

    /// The narrowest bin, as a share of the range.
    private static let narrowest = 1e-4

    /// The densities of observations of `width` numbers, tokenized by `discretizer`.
    public init(_ discretizer: Discretizer, width: Int) {
        self.discretizer = discretizer
        let ranges = (0..<width).map {
            let edges = discretizer.columnEdges($0)
            return edges[edges.endIndex - 1] - edges[edges.startIndex]
        }
        self.ranges = ranges
        dimensions = ranges.indices.filter { ranges[$0] > 1e-9 }
    }

    /// The density of one who knows the bins of an observation and nothing else, the most that
    /// tokens can say.
    ///
    /// With bins of equal width it is the sum over dimensions of log(bins / range).
    public func oracle(of truth: [Double]) -> Double {
        dimensions.reduce(0) { $0 - log(width(of: token(of: truth, $1), dimension: $1)) }
    }

    /// The logarithm of the density of an observation under samples of its tokens.
    public func logarithm(
        of truth: [Double], under samples: SampledObservations, step: Int
    ) -> Double {
        logarithm(of: truth, samples: samples.samples) { index in
            let token = token(of: truth, index)
            let hits = (0..<samples.samples).count {
                samples[sample: $0, step: step, index: index] == token
            }
            return Double(hits) / width(of: token, dimension: index)
        }
    }

    /// The logarithm of the density of an observation under what is known without any model: how
    /// often `observations` fell into each bin.
    public func logarithms(of truth: [[Double]], under observations: [[Double]]) -> [Double] {
        var counts = ranges.map { _ in Array(repeating: 0, count: discretizer.binCount) }
        for observation in observations {
            for index in dimensions { counts[index][token(of: observation, index)] += 1 }
        }
        return truth.map { truth in
            logarithm(of: truth, samples: observations.count) { index in
                let token = token(of: truth, index)
                return Double(counts[index][token]) / width(of: token, dimension: index)
            }
        }
    }

    /// The logarithm of the density of an observation, where `sums` has for each dimension the sum
    /// of the densities of `samples` predictions there.
    public func logarithm(of truth: [Double], sums: [Double], samples: Int) -> Double {
        logarithm(of: truth, samples: samples) { sums[$0] }
    }

    /// The density of a normal distribution.
    public static func normal(_ value: Double, mean: Double, deviation: Double) -> Double {
        let distance = (value - mean) / deviation
        return exp(-distance * distance / 2) / (deviation * (2 * Double.pi).squareRoot())
    }

    private func logarithm(
        of truth: [Double], samples: Int, sum: (Int) -> Double
    ) -> Double {
        dimensions.reduce(0) {
            $0 + log((sum($1) + 1 / ranges[$1]) / Double(samples + 1))
        }
    }

    private func token(of truth: [Double], _ index: Int) -> Int {
        discretizer.token(for: truth[index], dimension: index)
    }

    private func width(of token: Int, dimension index: Int) -> Double {
        let edges = discretizer.columnEdges(index)
        let lower = edges.startIndex + token
        return max(edges[lower + 1] - edges[lower], Self.narrowest * ranges[index])
    }
}
