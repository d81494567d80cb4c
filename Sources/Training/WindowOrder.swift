import RandomNumbers

/// In which order the windows of an epoch are seen; both see every window once.
public enum WindowOrder: String, Sendable, Hashable, Codable, CaseIterable {
    /// Any window after any other: what the authors do, for data that lie in memory.
    case shuffled
    /// Blocks of windows that lie together, in any order, and within a few dozen blocks at a time any
    /// window after any other: a file is read a megabyte at a time.
    case blocks

    /// Bytes of a file that are read in one go.
    static let blockBytes = 1 << 20
    /// Bytes of the blocks whose windows are mixed.
    static let groupBytes = 64 << 20
}

/// The order of one epoch's windows by ``WindowOrder/blocks``.
///
/// Windows lie in the order of their numbers. A group is as many blocks as are mixed with each other,
/// drawn from all; groups follow each other.
package struct BlockOrder {
    /// How many windows there are.
    let count: Int
    /// Windows in a block; the last may have fewer.
    let blockLength: Int
    /// Blocks in a group; the last may have fewer.
    let blocksPerGroup: Int
    private let seed: UInt64
    /// The blocks, as the groups take them.
    private let blocks: [UInt32]
    /// The group that has the last block.
    private let shortGroup: Int

    /// An order that depends on `seed` and the sizes alone.
    package init(count: Int, blockLength: Int, blocksPerGroup: Int, seed: UInt64) {
        precondition(
            count > 0 && blockLength > 0 && blocksPerGroup > 0,
            "\(count) windows in blocks of \(blockLength), \(blocksPerGroup) in a group")
        (self.count, self.blockLength) = (count, blockLength)
        (self.blocksPerGroup, self.seed) = (blocksPerGroup, seed)
        var blocks = (0..<UInt32((count + blockLength - 1) / blockLength)).map { $0 }
        var generator = SplitMix64(seed: seed)
        generator.shuffle(&blocks)
        let last = UInt32(blocks.count - 1)
        shortGroup = (blocks.firstIndex(of: last) ?? 0) / blocksPerGroup
        self.blocks = blocks
    }

    /// How many groups there are.
    package var groupCount: Int { (blocks.count + blocksPerGroup - 1) / blocksPerGroup }

    /// The draws of the epoch that a group takes.
    package func draws(ofGroup group: Int) -> Range<Int> {
        let missing = (count + blockLength - 1) / blockLength * blockLength - count
        func start(_ group: Int) -> Int {
            min(group * blocksPerGroup, blocks.count) * blockLength
                - (group > shortGroup ? missing : 0)
        }
        return start(group)..<start(group + 1)
    }

    /// The group that takes a draw.
    package func group(ofDraw draw: Int) -> Int {
        let group = draw / (blocksPerGroup * blockLength)
        return draws(ofGroup: group).contains(draw) ? group : group + 1
    }

    /// The windows of a group's blocks, block by block in the order of the file.
    package func blocks(ofGroup group: Int) -> [Range<Int>] {
        let first = group * blocksPerGroup
        return blocks[first..<min(first + blocksPerGroup, blocks.count)].sorted().map {
            (Int($0) * blockLength)..<min((Int($0) + 1) * blockLength, count)
        }
    }

    /// The windows of a group, in the order in which they are seen.
    package func windows(ofGroup group: Int) -> [UInt32] {
        var windows = blocks(ofGroup: group).flatMap { $0.map { UInt32($0) } }
        var generator = SplitMix64(seed: seed ^ UInt64(group + 1) &* 0x9FB2_1C65_1E98_DF25)
        generator.shuffle(&windows)
        return windows
    }
}
