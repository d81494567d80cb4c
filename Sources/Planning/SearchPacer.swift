/// How far and how wide a search goes.
package struct SearchSize: Sendable, Hashable {
    /// Transitions to plan ahead.
    package var horizon: Int
    /// Sequences kept after each.
    package var beamWidth: Int

    /// A search of this size.
    package init(horizon: Int, beamWidth: Int) {
        self.horizon = horizon
        self.beamWidth = beamWidth
    }

    /// What planning takes grows with this.
    package var work: Double { Double(horizon * beamWidth) }
}

/// Chooses the largest search that ends in time, from what searches took before.
///
/// Sizes form a ladder: two rungs down the beam is half as wide and the horizon shorter by the root
/// of that, so that a small search stays balanced.
package struct SearchPacer: Sendable {
    /// From the smallest to the largest.
    package let ladder: [SearchSize]
    /// Seconds that a search of each size took lately; nil where it was never tried.
    private var seconds: [Double?]
    /// Seconds that a search may take.
    package let limit: Double

    /// A search may be taken to last this much longer than the ones before it.
    private static let margin = 1.15
    /// Weight of the latest measurement.
    private static let freshness = 0.2
    /// What the times of larger sizes shrink by with every search.
    private static let forgiveness = 0.99

    /// Searches of up to `largest` that take up to `limit` seconds.
    package init(largest: SearchSize, limit: Double) {
        var sizes: [SearchSize] = []
        var width = largest.beamWidth
        while width >= 1 {
            // Between two halvings, three quarters.
            for width in [width, width * 3 / 4] where width >= 1 && width != sizes.last?.beamWidth {
                let share = Double(width) / Double(largest.beamWidth)
                let horizon = (Double(largest.horizon) * share.squareRoot()).rounded()
                sizes.append(SearchSize(horizon: max(1, Int(horizon)), beamWidth: width))
            }
            width /= 2
        }
        ladder = sizes.reversed()
        seconds = Array(repeating: nil, count: ladder.count)
        self.limit = limit
    }

    /// Whether the smallest size has been tried, so that the speed is known.
    package var hasMeasured: Bool { seconds[0] != nil }

    /// The largest size that should end in time.
    package var size: SearchSize {
        let fitting = ladder.indices.last { (expectedSeconds($0) ?? .infinity) <= limit }
        return ladder[fitting ?? 0]
    }

    /// Takes note of what a search took that was not cut short.
    package mutating func record(_ size: SearchSize, seconds measured: Double) {
        guard let rung = ladder.firstIndex(of: size) else { return }
        let before = seconds[rung] ?? measured
        seconds[rung] = before + Self.freshness * (measured - before)
        // What was too slow once is tried again after a while: the machine may have been busy.
        for larger in ladder.indices.dropFirst(rung + 1) {
            seconds[larger] = seconds[larger].map { $0 * Self.forgiveness }
        }
    }

    /// Takes note that a search was late: it took longer than the limit.
    package mutating func recordLate(_ size: SearchSize) {
        record(size, seconds: max(2 * limit, seconds[ladder.firstIndex(of: size) ?? 0] ?? 0))
    }

    /// What a size should take, with a margin: as measured, or by its work from the next smaller
    /// one that was.
    private func expectedSeconds(_ rung: Int) -> Double? {
        guard let known = (0...rung).last(where: { seconds[$0] != nil }), let past = seconds[known]
        else { return nil }
        return Self.margin * past * ladder[rung].work / ladder[known].work
    }
}
