import RandomNumbers
package import Tokenization

/// The order in which windows are seen: every window once an epoch, shuffled anew each time.
///
/// Order and goals depend on the seed and the step alone, so a resumed run sees what an unbroken
/// one would.
package struct WindowSampler {
    private let windowCount: Int
    private let seed: UInt64
    private var epoch = -1
    private var order: [UInt32] = []

    package init(windowCount: Int, seed: UInt64) {
        self.windowCount = windowCount
        self.seed = seed
    }

    /// Fills `batch` with the windows of step `step`, from 0; a share of a batch with its own.
    package mutating func fill(_ batch: inout TokenBatch, from windows: TokenWindows, step: Int) {
        for row in 0..<batch.rows {
            let draw = step * batch.totalRows + batch.firstRow + row
            shuffle(forEpoch: draw / windowCount)
            windows.fill(
                &batch, row: row, window: Int(order[draw % windowCount]),
                goalSeed: goalSeed(ofDraw: draw))
        }
    }

    /// Another goal each time that a window is seen.
    private func goalSeed(ofDraw draw: Int) -> UInt64 {
        var generator = SplitMix64(seed: seed)
        return generator.next() ^ UInt64(draw) &* 0xA24B_AED4_963E_E407
    }

    private mutating func shuffle(forEpoch wanted: Int) {
        guard wanted != epoch else { return }
        epoch = wanted
        var generator = SplitMix64(seed: seed ^ UInt64(wanted) &* 0xD134_2543_DE82_EF95)
        order = (0..<UInt32(windowCount)).map { $0 }
        generator.shuffle(&order)
    }
}
