import Foundation
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer

@Suite struct BlockOrderTests {
    @Test(arguments: [(1, 1, 1), (7, 3, 2), (100, 8, 3), (64, 8, 4), (65, 8, 4), (5, 100, 64)])
    func `every window comes once an epoch`(count: Int, length: Int, blocks: Int) {
        for seed in 0..<20 as Range<UInt64> {
            let order = BlockOrder(
                count: count, blockLength: length, blocksPerGroup: blocks, seed: seed)
            var seen: [UInt32] = []
            for group in 0..<order.groupCount {
                let draws = order.draws(ofGroup: group)
                #expect(draws.lowerBound == seen.count)
                seen += order.windows(ofGroup: group)
                #expect(draws.upperBound == seen.count)
                for draw in draws { #expect(order.group(ofDraw: draw) == group) }
            }
            #expect(seen.sorted() == (0..<UInt32(count)).map { $0 })
        }
    }

    @Test func `a group has whole blocks, drawn from all, and mixes their windows`() {
        let order = BlockOrder(count: 10_000, blockLength: 100, blocksPerGroup: 10, seed: 4)
        let blocks = order.blocks(ofGroup: 0)
        #expect(blocks.count == 10 && blocks.allSatisfy { $0.count == 100 })
        #expect(blocks.map(\.lowerBound) == blocks.map(\.lowerBound).sorted())
        #expect((blocks.last?.lowerBound ?? 0) - blocks[0].lowerBound > 3000)
        let windows = order.windows(ofGroup: 0)
        // The first tenth of the draws is from all of the blocks, not from one.
        #expect(Set(windows.prefix(100).map { $0 / 100 }).count == 10)
        let other = BlockOrder(count: 10_000, blockLength: 100, blocksPerGroup: 10, seed: 5)
        #expect(other.windows(ofGroup: 0) != windows)
    }

    @Test func `any draw has the window that it has in a run of all, epoch after epoch`() throws {
        let windows = try PointRuns.dataset().windows
        func sampled() -> ShuffledWindows {
            ShuffledWindows(windows, order: .blocks, blockLength: 20, blocksPerGroup: 3, seed: 8)
        }
        func window(_ sampler: inout ShuffledWindows, _ draw: Int) -> [Int32] {
            var batch = TokenBatch(rows: 1, length: windows.length)
            sampler.fill(&batch, row: 0, draw: draw, goalSeed: 0)
            return batch.inputs
        }
        var one = sampled()
        let draws = (0..<(2 * windows.count)).map { window(&one, $0) }
        for draw in [0, 1, windows.count - 1, windows.count, windows.count + 77, 33] {
            var other = sampled()
            #expect(window(&other, draw) == draws[draw])
        }
        let epochs = [draws.prefix(windows.count), draws.suffix(windows.count)]
        #expect(Array(epochs[0]) != Array(epochs[1]))
        let sorted = epochs.map { $0.sorted { $0.lexicographicallyPrecedes($1) } }
        #expect(sorted[0] == sorted[1])
    }

    @Test func `a run by blocks goes on as if it had not been stopped, and learns`() throws {
        let world = try PointRuns()
        let blocks: (inout TrainingOptions) -> Void = { $0.windowOrder = .blocks }
        let whole = try world.train("whole", steps: 60, change: blocks)
        _ = try world.train("parts", steps: 20, change: blocks)
        let rest = try world.train("parts", steps: 60, resume: true, change: blocks)
        #expect(rest.trainer.model.values == whole.trainer.model.values)
        let losses = whole.reports.compactMap(\.heldOutLoss)
        #expect(try #require(losses.last) < #require(losses.first))
        let shuffled = try world.train("shuffled", steps: 60)
        #expect(shuffled.trainer.model.values != whole.trainer.model.values)
        // A run goes on in the order that it has.
        let error = #expect(throws: TrainingError.self) {
            try world.trainer("parts", steps: 80, resume: true)
        }
        #expect(error?.code == .otherRun && error?.detail.contains("windowOrder") == true)
    }

    @Test func `a token file read by blocks gives the windows of memory`() throws {
        let folder = try TemporaryFolder()
        let data = try PointRuns.dataset()
        let file = folder.file("tokens")
        try PointRuns.writeTokens(to: file)
        var settings = TokenizedDataset.Settings()
        settings.windowLength = data.settings.windowLength
        let mapped = try TokenizedDataset(TokenFile(contentsOf: file), settings: settings).windows
        #expect(mapped.store.isMapped && !data.windows.store.isMapped)
        #expect(mapped.count == data.windows.count)
        for openings in [false, true] {
            var (one, other) = (data.windows, mapped)
            if openings { (one, other) = (one.openings(), other.openings()) }
            var samplers = [one, other].map { WindowSampler($0, order: .blocks, seed: 2) }
            for step in 0..<60 {
                var batches = [one, other].map { TokenBatch(rows: 8, length: $0.length) }
                for index in 0..<2 { samplers[index].fill(&batches[index], step: step) }
                #expect(batches[0] == batches[1])
            }
        }
    }
}
