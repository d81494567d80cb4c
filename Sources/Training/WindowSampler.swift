import RandomNumbers
package import Tokenization

/// The order in which windows are seen: every window once an epoch, shuffled anew each time.
///
/// The best ones and the openings may have a share of the draws to themselves, in orders and epochs
/// of their own; where both do, openings have their share of the best ones as of all.
///
/// Order and goals depend on the seed and the step alone, so a resumed run sees what an unbroken
/// one would.
package struct WindowSampler {
    /// The parts, each with its share of the draws that those before it leave; the last takes all.
    private var parts: [(windows: ShuffledWindows, share: Double)] = []
    private let seed: UInt64

    /// Windows of `windows`, of which a share comes from `best`, and one from their openings.
    package init(
        _ windows: TokenWindows, best: TokenWindows? = nil, bestShare: Double = 0,
        openingShare: Double = 0, openingLength: Int? = nil,
        order: WindowOrder = .shuffled, seed: UInt64
    ) {
        self.seed = seed
        var left = 1.0
        func take(_ windows: @autoclosure () -> TokenWindows, _ share: Double, seed: UInt64) {
            guard share > 0 else { return }
            parts.append((ShuffledWindows(windows(), order: order, seed: seed), share / left))
            left -= share
        }
        let openingSeed: UInt64 = 0x9E37_79B9_7F4A_7C15
        var shareOfAll = 1.0
        if let best, best.count > 0 {
            take(
                best.openings(openingLength), bestShare * openingShare, seed: ~seed ^ openingSeed)
            take(best, bestShare * (1 - openingShare), seed: ~seed)
            shareOfAll -= bestShare
        }
        take(
            windows.openings(openingLength), shareOfAll * openingShare, seed: seed ^ openingSeed)
        // All the others, whatever rounding left of the shares.
        parts.append((ShuffledWindows(windows, order: order, seed: seed), 1))
    }

    /// Fills `batch` with the windows of step `step`, from 0; a share of a batch with its own.
    package mutating func fill(_ batch: inout TokenBatch, step: Int) {
        for row in 0..<batch.rows {
            var draw = step * batch.totalRows + batch.firstRow + row
            let goalSeed = goalSeed(ofDraw: draw)
            for part in parts.indices {
                // A share is spread evenly among the draws: so many of it lie before this one.
                let before = Int(Double(draw) * parts[part].share)
                if Int(Double(draw + 1) * parts[part].share) > before {
                    parts[part].windows.fill(&batch, row: row, draw: before, goalSeed: goalSeed)
                    break
                }
                draw -= before
            }
        }
    }

    /// Another goal each time that a window is seen.
    private func goalSeed(ofDraw draw: Int) -> UInt64 {
        var generator = SplitMix64(seed: seed)
        return generator.next() ^ UInt64(draw) &* 0xA24B_AED4_963E_E407
    }
}
