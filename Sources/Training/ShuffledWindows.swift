import RandomNumbers
package import Tokenization

/// Windows in an order of their own for each epoch.
package struct ShuffledWindows {
    private let windows: TokenWindows
    private let seed: UInt64
    private let order: WindowOrder
    private let blockLength: Int
    private let blocksPerGroup: Int
    /// The draws of which `drawn` has the windows.
    private var draws = 0..<0
    private var drawn: [UInt32] = []
    private var blocks: (epoch: Int, order: BlockOrder)?

    /// Windows in such an order; of blocks of so many windows, where the bytes of a file do not say.
    package init(
        _ windows: TokenWindows, order: WindowOrder, blockLength: Int? = nil,
        blocksPerGroup: Int? = nil, seed: UInt64
    ) {
        self.windows = windows
        self.seed = seed
        self.order = order
        self.blocksPerGroup =
            blocksPerGroup ?? WindowOrder.groupBytes / WindowOrder.blockBytes
        self.blockLength =
            blockLength ?? max(1, Int(Double(WindowOrder.blockBytes) / windows.bytesPerWindow))
    }

    /// Writes the window of a draw, counted from 0, into a row of the batch.
    package mutating func fill(_ batch: inout TokenBatch, row: Int, draw: Int, goalSeed: UInt64) {
        if !draws.contains(draw) {
            switch order {
            case .shuffled: shuffle(for: draw)
            case .blocks: openGroup(for: draw)
            }
        }
        windows.fill(
            &batch, row: row, window: Int(drawn[draw - draws.lowerBound]), goalSeed: goalSeed)
    }

    private func seed(ofEpoch epoch: Int) -> UInt64 {
        seed ^ UInt64(epoch) &* 0xD134_2543_DE82_EF95
    }

    /// Puts all windows of a draw's epoch in order.
    private mutating func shuffle(for draw: Int) {
        let epoch = draw / windows.count
        var generator = SplitMix64(seed: seed(ofEpoch: epoch))
        drawn = (0..<UInt32(windows.count)).map { $0 }
        generator.shuffle(&drawn)
        draws = (epoch * windows.count)..<((epoch + 1) * windows.count)
    }

    /// Puts the windows of a draw's group in order, and has them read, and those of the group that
    /// follows while these are used.
    private mutating func openGroup(for draw: Int) {
        let (epoch, place) = draw.quotientAndRemainder(dividingBy: windows.count)
        let order =
            blocks.flatMap { $0.epoch == epoch ? $0.order : nil }
            ?? BlockOrder(
                count: windows.count, blockLength: blockLength, blocksPerGroup: blocksPerGroup,
                seed: seed(ofEpoch: epoch))
        blocks = (epoch, order)
        let group = order.group(ofDraw: place)
        drawn = order.windows(ofGroup: group)
        let range = order.draws(ofGroup: group)
        draws =
            (epoch * windows.count + range.lowerBound)..<(epoch * windows.count + range.upperBound)
        for group in [group, group + 1] where group < order.groupCount {
            for block in order.blocks(ofGroup: group) { windows.willRead(block) }
        }
    }
}
