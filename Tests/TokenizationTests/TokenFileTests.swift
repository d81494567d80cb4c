import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

@Suite struct TokenFileTests {
    let folder: TemporaryFolder
    let url: URL
    let source = TokenFile.Source(name: "data.hdf5", format: "d4rl", environment: "hopper-v4")

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("data.tokens")
    }

    /// Episodes with columns of many kinds: ties, constants, zeros of both signs, huge and tiny
    /// numbers.
    private func episodes(rows: Int, seed: UInt64, actions: Int = 2) -> EpisodeList {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let layout = TransitionLayout(observationDimension: 6, actionDimension: actions)
        var trajectories: [Trajectory] = []
        var left = rows
        while left > 0 {
            let count = min(left, Int.random(in: 1...40, using: &generator))
            left -= count
            let endings: [Trajectory.Ending] = [.terminal, .timeout, .unfinished]
            var trajectory = Trajectory(
                layout: layout, ending: endings[Int.random(in: 0..<3, using: &generator)])
            for _ in 0..<count {
                let value = generator.float(in: -1...1)
                trajectory.append(
                    observation: [
                        value, (3 * value).rounded(), 7, value < 0 ? -0.0 : 0,
                        value * .greatestFiniteMagnitude, value * .leastNonzeroMagnitude * 5,
                    ],
                    action: (0..<actions).map { _ in generator.float(in: -1...1) },
                    reward: generator.float(in: -3...3))
            }
            trajectories.append(trajectory)
        }
        return EpisodeList(layout: layout, trajectories: trajectories)
    }

    private func equal(_ a: TokenizedDataset, _ b: TokenizedDataset) -> Bool {
        guard a.settings == b.settings, a.windows.count == b.windows.count,
            a.windows.store.episodeStarts == b.windows.store.episodeStarts,
            a.windows.store.endings == b.windows.store.endings,
            a.discretizer.edges.map(\.bitPattern) == b.discretizer.edges.map(\.bitPattern)
        else { return false }
        let length = a.windows.length
        var (first, second) = (
            TokenBatch(rows: 1, length: length), TokenBatch(rows: 1, length: length)
        )
        return (0..<a.windows.count).allSatisfy { window in
            a.windows.fill(&first, row: 0, window: window)
            b.windows.fill(&second, row: 0, window: window)
            return first == second
        }
            && (0..<a.windows.store.rowCount).allSatisfy {
                a.windows.store.transition($0) == b.windows.store.transition($0)
            }
    }

    @Test(arguments: [
        (Discretizer.Strategy.quantile, 10, 2_000), (.quantile, 100, 1_234),
        (.quantile, 100, 20_011),
        (.quantile, 255, 3_000), (.quantile, 256, 3_000), (.quantile, 5_000, 6_000),
        (.uniform, 100, 1_234), (.uniform, 400, 999), (.quantile, 1, 50),
    ])
    func `a token file equals the data in memory, bit for bit`(
        strategy: Discretizer.Strategy, bins: Int, rows: Int
    ) throws {
        let episodes = episodes(rows: rows, seed: UInt64(bins + rows))
        for penalty in [nil, -100.1] {
            var settings = TokenizedDataset.Settings()
            settings.strategy = strategy
            settings.binCount = bins
            settings.windowLength = 3
            settings.terminationPenalty = TerminationPenalty(penalty)
            settings.discount = 0.97
            let description = try TokenFile.write(
                episodes, settings: settings, source: source, to: url)
            let file = try TokenFile(contentsOf: url)
            #expect(file.description == description)
            #expect(description.rowCount == rows)
            let mapped = try TokenizedDataset(file, settings: settings)
            #expect(try equal(mapped, TokenizedDataset(episodes.trajectories, settings: settings)))
            #expect(mapped.windows.store.byteCount == rows * 10 * (bins < 256 ? 1 : 2))
        }
        #expect(try folder.contents() == ["data.tokens"])
    }

    @Test(arguments: [Discretizer.Strategy.quantile, .uniform])
    func `with bins of other data a file equals memory, and is read once`(
        strategy: Discretizer.Strategy
    ) throws {
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 3
        let (first, other) = (episodes(rows: 1_200, seed: 5), episodes(rows: 700, seed: 6))
        settings.strategy = strategy
        settings.binCount = 20
        let bins = try TokenizedDataset(first.trajectories, settings: settings).discretizer
        // What the settings say of bins gives way.
        settings.strategy = .quantile
        settings.binCount = 100
        var passes: Set<Int> = []
        try TokenFile.write(other, settings: settings, bins: bins, source: source, to: url) {
            passes.insert($0.passCount)
        }
        #expect(passes == [1])
        let mapped = try TokenizedDataset(TokenFile(contentsOf: url), settings: settings)
        #expect(mapped.discretizer == bins && mapped.settings.binCount == 20)
        #expect(
            try equal(
                mapped,
                TokenizedDataset(other.trajectories, settings: settings, discretizer: bins)))
        let wider = episodes(rows: 300, seed: 7, actions: 3)
        #expect(throws: DiscretizerError.self) {
            try TokenFile.write(wider, settings: settings, bins: bins, source: source, to: url)
        }
    }

    @Test func `numbers outside of bins that are another's are counted, and said where many`()
        throws
    {
        let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
        func episode(_ numbers: [Float]) -> Trajectory {
            Trajectory(
                layout: layout, observations: numbers, actions: numbers.map { _ in 0 },
                rewards: numbers.map { _ in 1 })
        }
        let first = episode((0..<100).map(Float.init))
        var settings = TokenizedDataset.Settings()
        settings.binCount = 10
        let bins = try TokenizedDataset([first], settings: settings).discretizer
        #expect(bins.shareOutside([first]) == 0 && bins.remark(on: [first]) == nil)
        // Of 50 observations and as many actions, 20 observations and then one.
        let outside = episode((0..<50).map { $0 < 10 ? -1 : $0 < 20 ? 100 : 50 })
        #expect(bins.shareOutside([outside, episode([])]) == 0.2)
        #expect(bins.remark(on: [outside])?.contains("20 %") == true)
        let hardly = episode((0..<50).map { $0 == 0 ? -1 : 50 })
        #expect(bins.shareOutside([hardly]) == 0.01 && bins.remark(on: [hardly]) == nil)
    }

    @Test func `many columns and bins make smaller digits, with the same result`() throws {
        let episodes = episodes(rows: 1_500, seed: 77, actions: 500)
        var settings = TokenizedDataset.Settings()
        settings.binCount = 1_000
        var passes: Set<Int> = []
        try TokenFile.write(episodes, settings: settings, source: source, to: url) {
            passes.insert($0.passCount)
            #expect(1...$0.passCount ~= $0.pass)
            #expect($0.rows <= $0.rowCount)
        }
        // Digits of 4 bits: 8 passes of all columns, 8 of the rewards, one that writes.
        #expect(passes == [17])
        let mapped = try TokenizedDataset(TokenFile(contentsOf: url), settings: settings)
        #expect(try equal(mapped, TokenizedDataset(episodes.trajectories, settings: settings)))
    }

    @Test func `windows and masks come from the settings, the rest from the file`() throws {
        try TokenFile.write(episodes(rows: 300, seed: 3), source: source, to: url)
        var settings = TokenizedDataset.Settings()
        settings.binCount = 7
        settings.discount = 0.5
        settings.windowLength = 4
        settings.mask = .authors
        let dataset = try TokenizedDataset(TokenFile(contentsOf: url), settings: settings)
        #expect(dataset.settings.binCount == 100)
        #expect(dataset.settings.discount == 0.99)
        #expect(dataset.settings.mask == .authors)
        #expect(dataset.windows.length == 4 * 10 - 1)
        settings.windowLength = 0
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(TokenFile(contentsOf: url), settings: settings)
        }
    }

    @Test func `the same data give the same bytes`() throws {
        let episodes = episodes(rows: 500, seed: 5)
        try TokenFile.write(episodes, source: source, to: url)
        let first = try Data(contentsOf: url)
        try TokenFile.write(episodes, source: source, to: url)
        #expect(try Data(contentsOf: url) == first)
    }

    @Test func `tokens outlive the file that was replaced or removed`() throws {
        let episodes = episodes(rows: 500, seed: 6)
        try TokenFile.write(episodes, source: source, to: url)
        let file = try TokenFile(contentsOf: url)
        try TokenFile.write(self.episodes(rows: 200, seed: 7), source: source, to: url)
        try FileManager.default.removeItem(at: url)
        #expect(
            try equal(TokenizedDataset(file), TokenizedDataset(episodes.trajectories)))
    }

    // MARK: - What cannot be written

    @Test func `data that do not make a file leave the old one and nothing else`() throws {
        try TokenFile.write(episodes(rows: 300, seed: 8), source: source, to: url)
        let before = try Data(contentsOf: url)
        func failure(_ stream: EpisodeList, _ settings: TokenizedDataset.Settings = .init())
            -> (any Error)?
        {
            #expect(throws: (any Error).self) {
                try TokenFile.write(stream, settings: settings, source: source, to: url)
            }
        }
        let few = failure(episodes(rows: 99, seed: 9)) as? DiscretizerError
        #expect(few?.code == .tooFewRows)
        var broken = episodes(rows: 200, seed: 10).trajectories
        broken[1].append(observation: [1, 2, .nan, 4, 5, 6], action: [1, 2], reward: 3)
        let layout = broken[0].layout
        let number = failure(EpisodeList(layout: layout, trajectories: broken)) as? DiscretizerError
        #expect(number?.code == .notFinite)
        #expect(number?.dimension == 2)
        let row = broken[0].count + broken[1].count - 1
        #expect(number?.detail.hasPrefix("row \(row) is nan") == true)
        let single = Trajectory(
            layout: layout, observations: [1, 2, 3, 4, 5, 6], actions: [1, 2], rewards: [3])
        let short = failure(
            EpisodeList(layout: layout, trajectories: Array(repeating: single, count: 200)))
        #expect((short as? TokenFileError)?.code == .empty)
        var changed = episodes(rows: 200, seed: 11)
        changed.surplus = 1
        #expect((failure(changed) as? DiscretizerError)?.detail.contains("leave the file") == true)
        var settings = TokenizedDataset.Settings()
        settings.binCount = 0
        #expect(failure(episodes(rows: 200, seed: 12), settings) is DiscretizerError)
        let nowhere = #expect(throws: TokenFileError.self) {
            try TokenFile.write(
                episodes(rows: 200, seed: 13), source: source,
                to: URL(fileURLWithPath: "/proc/none/all.tokens"))
        }
        #expect(nowhere?.code == .unwritable)
        #expect(try Data(contentsOf: url) == before)
        #expect(try folder.contents() == ["data.tokens"])
    }

    // MARK: - What cannot be read

    private func failure(_ data: Data) throws -> TokenFileError? {
        try data.write(to: url)
        let error = #expect(throws: TokenFileError.self) { try TokenFile(contentsOf: url) }
        #expect(error?.file == url.path)
        #expect(error?.description.contains("\n") == false)
        return error
    }

    @Test func `a file cut short, lengthened or changed anywhere is refused`() throws {
        let seed: UInt64 = 21
        try TokenFile.write(episodes(rows: 400, seed: seed), source: source, to: url)
        let data = try Data(contentsOf: url)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let length = Int.random(in: 8..<data.count, using: &generator)
            #expect(try failure(data.prefix(length))?.code == .damaged)
        }
        #expect(try failure(data + [0, 0, 0, 0, 0, 0, 0, 0])?.code == .damaged)
        for place in Array(8..<64)
            + (0..<300).map({ _ in
                Int.random(in: 64..<data.count, using: &generator)
            })
        {
            var changed = data
            changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            let code = try failure(changed)?.code
            #expect(code == .damaged || (code == .version && place < 16), "byte \(place)")
        }
    }

    @Test func `other files, folders and what is not there are told apart`() throws {
        #expect(try failure(Data())?.code == .unreadable)
        #expect(try failure(Data("PK".utf8))?.code == .foreign)
        #expect(try failure(Data("observations,actions\n1,2\n".utf8))?.code == .foreign)
        #expect(!TokenFile.isTokenFile(url))
        let absent = #expect(throws: TokenFileError.self) {
            try TokenFile(contentsOf: folder.file("absent"))
        }
        #expect(absent?.detail == "there is no such file; check the path")
        let directory = #expect(throws: TokenFileError.self) {
            try TokenFile(contentsOf: folder.url)
        }
        #expect(directory?.code == .unreadable)
        #expect(!TokenFile.isTokenFile(folder.url))
        try TokenFile.write(episodes(rows: 400, seed: 30), source: source, to: url)
        #expect(TokenFile.isTokenFile(url))
    }

    @Test func `a file that is whole but wrong is refused too`() throws {
        try TokenFile.write(episodes(rows: 400, seed: 31), source: source, to: url)
        let data = try Data(contentsOf: url)
        /// The file with other content and checksums that fit it.
        func forged(_ change: (inout Data) -> Void) -> Data {
            var result = data
            change(&result)
            func word(_ index: Int) -> UInt64 {
                (0..<8).reduce(0) { $0 | UInt64(result[8 * index + $1]) << (8 * $1) }
            }
            func checksum(_ words: Range<Int>) -> UInt64 {
                words.reduce(0x9E37_79B9_7F4A_7C15) {
                    let value = ($0 ^ word($1)) &* 0xD134_2543_DE82_EF95
                    return value ^ value >> 32
                }
            }
            for (place, words) in [(5, 8..<(result.count / 8)), (6, 0..<6)] {
                let value = checksum(words)
                for byte in 0..<8 { result[8 * place + byte] = UInt8(value >> (8 * byte) & 255) }
            }
            return result
        }
        // The forgery itself works.
        try forged { _ in }.write(to: url)
        #expect(throws: Never.self) { try TokenFile(contentsOf: url) }
        let token = try failure(forged { $0[70] = 100 })
        #expect(token?.detail.hasPrefix("a token is beyond the 100 bins") == true)
        let edges = 64 + 400 * 10
        let edge = try failure(forged { $0[edges + 7] = 0x7F })
        #expect(edge?.code == .damaged)
        let starts = edges + 8 * 101 * 10
        #expect(
            try failure(forged { $0[starts] = 1 })?.detail.contains("episodes") == true)
        #expect(
            try failure(forged { $0[starts + 15] = 0x7F })?.detail.contains("episodes") == true)
        let place = try #require(data.range(of: Data("\"rowCount\" : 400".utf8)))
        #expect(
            try failure(forged { $0[place.upperBound - 1] = UInt8(ascii: "1") })?.code == .damaged)
        let version = try failure(forged { $0[8] = 9 })
        #expect(version?.code == .version)
        #expect(version?.detail.contains("of version 9") == true)
    }
}
