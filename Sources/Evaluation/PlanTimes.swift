/// How the times of some plans are spread, in milliseconds of wall-clock time.
///
/// A percentile is the smallest time within which that share of the plans was made.
public struct PlanTimes: Codable, Sendable, Hashable {
    /// The median, by this definition.
    public let p50: Double
    /// 99 of 100 plans took no longer.
    public let p99: Double
    /// 999 of 1000 plans took no longer.
    public let p999: Double
    /// The longest.
    public let maximum: Double

    private enum CodingKeys: String, CodingKey {
        case p50, p99, maximum
        case p999 = "p99.9"
    }

    /// Sums up times, at least one, that rise.
    init(_ times: [Double]) {
        precondition(!times.isEmpty, "percentiles of no times")
        func percentile(_ share: Double) -> Double {
            times[max(0, Int((share * Double(times.count)).rounded(.up)) - 1)]
        }
        p50 = percentile(0.5)
        p99 = percentile(0.99)
        p999 = percentile(0.999)
        maximum = times[times.count - 1]
    }
}
