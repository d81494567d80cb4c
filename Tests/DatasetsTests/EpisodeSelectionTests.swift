import Datasets
import Foundation
import TestSupport
import Testing
import Trajectories

/// Parts of datasets, written in every format that is written.
@Suite struct EpisodeSelectionTests {
    private let folder: TemporaryFolder
    private let url: URL
    private let data: TrajectoryDataset

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("data.hdf5")
        let seed = UInt64.random(in: 0..<1000)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)
        let trajectories = (0..<7).map { index in
            let count = 200 + 900 * index
            return Trajectory(
                layout: layout,
                observations: (0..<(3 * count)).map { _ in .random(in: -9...9, using: &generator) },
                actions: (0..<(2 * count)).map { _ in .random(in: -3...3, using: &generator) },
                rewards: (0..<count).map { Float(($0 + index) % 2) / Float(count) * Float(index) },
                ending: index % 2 == 0 ? .terminal : .timeout)
        }
        data = TrajectoryDataset(
            layout: layout, trajectories: trajectories, attributes: ["environment": "point"])
        try data.write(to: url)
    }

    @Test(arguments: DatasetFile.Format.written)
    func `what is written one by one is what was read`(format: DatasetFile.Format) throws {
        let place = folder.file(format == .minari ? "copy-v0" : "copy.\(format.rawValue)")
        let selection = try EpisodeSelection(DatasetFile(url))
        #expect(selection.rowCount == data.rowCount && selection.episodeCount == 7)
        try selection.write(to: place, format: format)
        let copy = try DatasetFile(place)
        #expect(copy.format == format)
        #expect(try TrajectoryDataset(contentsOf: place).trajectories == data.trajectories)
        if format == .d4rl { #expect(copy.attributes["environment"] == "point") }
        if format == .minari { #expect(copy.attributes["action_space"]?.contains("-2.9") == true) }
    }

    @Test func `filters by return and length keep what they say`() throws {
        func kept(_ change: (inout EpisodeFilter) -> Void) throws -> [Int] {
            var filter = EpisodeFilter()
            change(&filter)
            var counts: [Int] = []
            try EpisodeSelection(DatasetFile(url), filter: filter)
                .forEachEpisode { counts.append(($0.count - 200) / 900) }
            return counts
        }
        #expect(
            try kept { $0.minimumLength = 2000 }
                == [2, 3, 4, 5, 6].filter { 200 + 900 * $0 >= 2000 })
        #expect(try kept { $0.maximumLength = 1100 } == [0, 1])
        #expect(try kept { $0.minimumReturn = 2.4 } == [5, 6])
        #expect(try kept { $0.maximumReturn = 0.2 } == [0])
        #expect(try kept { $0.topFraction = 0.3 } == [5, 6])
        #expect(
            try kept {
                $0.topFraction = 0.01
                $0.maximumReturn = 1.6
            } == [3])
        #expect(throws: DatasetError.self) { try kept { $0.minimumReturn = 99 } }
    }

    @Test func `a split has every episode once`() throws {
        let seed = UInt64.random(in: 0..<1000)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let (rest, held) = try EpisodeSelection.split(DatasetFile(url), fraction: 0.4) {
            Int.random(in: 0..<$0, using: &generator)
        }
        #expect(rest.episodeCount == 4 && held.episodeCount == 3)
        #expect(rest.rowCount + held.rowCount == data.rowCount)
        var counts: [[Int]] = [[], []]
        try rest.forEachEpisode { counts[0].append($0.count) }
        try held.forEachEpisodeRewards { rewards, _ in counts[1].append(rewards.count) }
        #expect(counts.map { $0.sorted() } == counts)
        #expect(Set(counts.joined()).count == 7)
        try held.write(to: folder.file("one.npz"), format: .npz)
        #expect(
            try TrajectoryDataset(contentsOf: folder.file("one.npz")).trajectories.map(\.count)
                == counts[1])
    }
}
