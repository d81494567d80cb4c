import RandomNumbers
package import Tokenization

/// The order in which windows are seen: every window once an epoch, shuffled anew each time; of the
/// best ones, which have a share of the draws to themselves, in an order and epochs of their own.
///
/// Order and goals depend on the seed and the step alone, so a resumed run sees what an unbroken
/// one would.
package struct WindowSampler {
    private var all: ShuffledWindows
    private var best: ShuffledWindows?
    private let share: Double
    private let seed: UInt64

    /// Windows of `windows`, of which `share` come from `best`.
    package init(
        _ windows: TokenWindows, best: TokenWindows? = nil, share: Double = 0, seed: UInt64
    ) {
        all = ShuffledWindows(windows, seed: seed)
        self.best = best.flatMap { $0.count > 0 ? ShuffledWindows($0, seed: ~seed) : nil }
        self.share = self.best == nil ? 0 : share
        self.seed = seed
    }

    /// Fills `batch` with the windows of step `step`, from 0; a share of a batch with its own.
    package mutating func fill(_ batch: inout TokenBatch, step: Int) {
        for row in 0..<batch.rows {
            let draw = step * batch.totalRows + batch.firstRow + row
            let goalSeed = goalSeed(ofDraw: draw)
            // Best windows are spread evenly among the draws: so many lie before this one.
            let bestBefore = Int(Double(draw) * share)
            if Int(Double(draw + 1) * share) > bestBefore {
                best?.fill(&batch, row: row, draw: bestBefore, goalSeed: goalSeed)
            } else {
                all.fill(&batch, row: row, draw: draw - bestBefore, goalSeed: goalSeed)
            }
        }
    }

    /// Another goal each time that a window is seen.
    private func goalSeed(ofDraw draw: Int) -> UInt64 {
        var generator = SplitMix64(seed: seed)
        return generator.next() ^ UInt64(draw) &* 0xA24B_AED4_963E_E407
    }
}

/// Windows in an order of their own for each epoch.
private struct ShuffledWindows {
    private let windows: TokenWindows
    private let seed: UInt64
    private var epoch = -1
    private var order: [UInt32] = []

    init(_ windows: TokenWindows, seed: UInt64) {
        self.windows = windows
        self.seed = seed
    }

    /// Writes the window of a draw, counted from 0, into a row of the batch.
    mutating func fill(_ batch: inout TokenBatch, row: Int, draw: Int, goalSeed: UInt64) {
        shuffle(forEpoch: draw / windows.count)
        windows.fill(
            &batch, row: row, window: Int(order[draw % windows.count]), goalSeed: goalSeed)
    }

    private mutating func shuffle(forEpoch wanted: Int) {
        guard wanted != epoch else { return }
        epoch = wanted
        var generator = SplitMix64(seed: seed ^ UInt64(wanted) &* 0xD134_2543_DE82_EF95)
        order = (0..<UInt32(windows.count)).map { $0 }
        generator.shuffle(&order)
    }
}
