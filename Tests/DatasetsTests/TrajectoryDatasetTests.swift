import Datasets
import Foundation
import HDF5
import TestSupport
import Testing
import Trajectories

@Suite struct TrajectoryDatasetTests {
    let folder: TemporaryFolder
    let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("data.hdf5")
    }

    private func dataset(
        _ episodes: [(Int, Trajectory.Ending)], seed: UInt64 = 1, attributes: [String: String] = [:]
    ) -> TrajectoryDataset {
        var generator = SeededGenerator(seed: seed)
        let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)
        return TrajectoryDataset(
            layout: layout,
            trajectories: episodes.map { count, ending in
                func numbers(_ width: Int) -> [Float] {
                    (0..<(count * width)).map { _ in generator.float(in: -9...9) }
                }
                return Trajectory(
                    layout: layout, observations: numbers(3), actions: numbers(2),
                    rewards: numbers(1), ending: ending)
            }, attributes: attributes)
    }

    @Test(arguments: [nil, 1, 9])
    func `what is written is read back, the last row included`(gzipLevel: Int?) throws {
        for last in [Trajectory.Ending.terminal, .timeout, .unfinished] {
            let written = dataset(
                [(4, .terminal), (1, .timeout), (7, .timeout), (1, .terminal), (3, last)],
                attributes: ["environment": "hopper", "seed": "3"])
            try written.write(to: url, gzipLevel: gzipLevel)
            #expect(try TrajectoryDataset(contentsOf: url) == written)
        }
        #expect(try folder.contents() == ["data.hdf5"])
    }

    @Test func `the authors' options lose the last row, and an episode of one row with it`() throws
    {
        try dataset([(4, .terminal), (1, .terminal)]).write(to: url)
        let read = try TrajectoryDataset(contentsOf: url, options: .authors)
        #expect(read.trajectories.map(\.count) == [4])
        try dataset([(1, .terminal)]).write(to: url)
        let empty = #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: url, options: .authors)
        }
        #expect(empty?.code == .empty)
    }

    @Test func `an unfinished episode before others is written as cut by a time limit`() throws {
        try dataset([(4, .unfinished), (2, .unfinished)]).write(to: url)
        let read = try TrajectoryDataset(contentsOf: url)
        #expect(read.trajectories.map(\.ending) == [.timeout, .unfinished])
    }

    // MARK: - Files as others write them

    /// A file of three rows, with fields left out or replaced.
    private func file(
        without left: Set<String> = [],
        _ body: (HDF5Group) throws(HDF5Error) -> Void = { _ in }
    ) throws {
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            func write(_ name: String, _ values: [Double], _ shape: [Int]) throws(HDF5Error) {
                if !left.contains(name) { try root.write(name, values, shape: shape) }
            }
            try write("observations", [1, 2, 3, 4, 5, 6], [3, 2])
            try write("actions", [1, 2, 3], [3, 1])
            try write("rewards", [1, 2, 3], [3])
            try write("terminals", [0, 1, 0], [3])
            try write("timeouts", [0, 0, 1], [3])
            try body(root)
        }
    }

    private func failure(_ options: TrajectoryDataset.ReadingOptions = .init()) -> DatasetError? {
        #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: url, options: options)
        }
    }

    @Test func `double precision, numeric flags, columns and other members are read`() throws {
        try file(without: ["terminals", "rewards"]) { root throws(HDF5Error) in
            try root.write("terminals", [0, 1, 0] as [Int64], shape: [3, 1])
            try root.write("rewards", [1, 2, 3] as [Int64], shape: [3, 1])
            try root.createGroup("infos").write("qpos", [1.0], shape: [1])
        }
        let trajectories = try TrajectoryDataset(contentsOf: url).trajectories
        #expect(trajectories.map(\.count) == [2, 1])
        #expect(trajectories.map(\.ending) == [.terminal, .timeout])
        #expect(trajectories[1].observations == [5, 6])
        #expect(trajectories[0].rewards == [1, 2])
    }

    @Test func `without timeouts the time limit must be known, or that there is none`() throws {
        try file(without: ["timeouts"])
        #expect(failure()?.field == "timeouts")
        #expect(
            failure()?.detail.contains("1 terminal state, with at most 2 rows from one to the next")
                == true)
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 1
        let cut = try TrajectoryDataset(contentsOf: url, options: options).trajectories
        #expect(cut.map(\.ending) == [.timeout, .terminal, .timeout])
        options.maxEpisodeLength = 1000
        let whole = try TrajectoryDataset(contentsOf: url, options: options).trajectories
        #expect(whole.map(\.ending) == [.terminal, .unfinished])
        options.maxEpisodeLength = nil
        options.hasNoTimeLimit = true
        #expect(try TrajectoryDataset(contentsOf: url, options: options).trajectories == whole)
        try file(without: ["timeouts", "terminals"]) { root throws(HDF5Error) in
            try root.write("terminals", [0, 0, 0] as [Int64], shape: [3])
        }
        #expect(failure()?.detail.contains("no terminal state") == true)
    }

    @Test(arguments: ["timeouts", "truncations", "episode_terminals", "dones"])
    func `ends are marked by any of the names that others give them`(name: String) throws {
        try file(without: ["timeouts"]) { root throws(HDF5Error) in
            // As d3rlpy does it, terminal states are ends as well.
            let all = name == "episode_terminals" || name == "dones"
            try root.write(name, [0, all ? 1 : 0, 1] as [Int64], shape: [3])
        }
        let dataset = try TrajectoryDataset(contentsOf: url)
        #expect(dataset.trajectories.map(\.ending) == [.terminal, .timeout])
        #expect(dataset.trajectories.map(\.count) == [2, 1])
        #expect(dataset.notes.joined().contains("'\(name)' says") == (name != "timeouts"))
        var options = TrajectoryDataset.ReadingOptions()
        options.hasNoTimeLimit = true
        #expect(failure(options)?.code == .unusedOption)
        #expect(failure(options)?.field == name)
    }

    @Test func `dones alone are all ends, and terminations terminal states`() throws {
        try file(without: ["timeouts", "terminals"]) { root throws(HDF5Error) in
            try root.write("dones", [0, 1, 1] as [Int64], shape: [3])
        }
        let dones = try TrajectoryDataset(contentsOf: url)
        #expect(dones.trajectories.map(\.ending) == [.terminal, .terminal])
        #expect(dones.notes.first?.contains("has 'dones' alone") == true)
        try file(without: ["timeouts", "terminals"]) { root throws(HDF5Error) in
            try root.write("terminations", [1, 0, 0] as [Int64], shape: [3])
            try root.write("truncations", [0, 0, 1] as [Int64], shape: [3])
        }
        let named = try TrajectoryDataset(contentsOf: url)
        #expect(named.trajectories.map(\.ending) == [.terminal, .timeout])
        #expect(named.notes.count == 1)
    }

    @Test func `a greatest length also cuts what the file leaves longer, and says so`() throws {
        try dataset([(90, .timeout), (7, .terminal), (30, .timeout)]).write(to: url)
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 30
        let read = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(read.trajectories.map(\.count) == [30, 30, 30, 7, 30])
        #expect(read.notes.count == 1 && read.notes[0].contains("2 more are made"))
        options.maxEpisodeLength = 90
        let whole = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(whole.notes == [] && whole.trajectories.count == 3)
    }

    @Test(arguments: [(10, 2), (20, 0), (5, 6)])
    func `cuts where the next observation says that the episode goes on are warned of`(
        length: Int, wrong: Int
    ) throws {
        // Two episodes of twenty rows, without a mark; an observation is its row.
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            let rows = (0..<40).map(Double.init)
            try root.write("observations", rows, shape: [40, 1])
            try root.write(
                "next_observations", rows.map { $0 == 19 ? -1 : $0 + 1 }, shape: [40, 1])
            try root.write("actions", rows, shape: [40, 1])
            try root.write("rewards", rows, shape: [40])
            try root.write("terminals", rows.map { _ in 0.0 }, shape: [40])
        }
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = length
        let read = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(read.trajectories.count == 40 / length)
        #expect(read.notes.isEmpty == (wrong == 0))
        #expect(read.notes.allSatisfy { $0.hasPrefix("warning: \(wrong) of \(40 / length - 1)") })
    }

    @Test(arguments: ["observations", "actions", "rewards", "terminals"])
    func `a missing field is named`(field: String) throws {
        try file(without: [field])
        let error = failure()
        #expect(error?.code == .missingField)
        #expect(error?.field == field)
        #expect(error?.description.contains("'\(field)' of '\(url.path)'") == true)
    }

    @Test(arguments: [
        ("observations", [3, 1, 1]), ("observations", [4, 1]), ("observations", [2]),
        ("observations", [3, 0]), ("actions", [2, 2]), ("actions", [4]), ("rewards", [4]),
        ("rewards", [3, 2]), ("terminals", [2]), ("timeouts", [1]),
    ])
    func `a wrong shape is named`(field: String, shape: [Int]) throws {
        try file(without: [field]) { root throws(HDF5Error) in
            try root.write(
                field, [Double](repeating: 0, count: shape.reduce(1, *)), shape: shape)
        }
        let error = failure()
        #expect(error?.code == .shapeMismatch)
        #expect(error?.detail.contains("\(shape)") == true || error?.field == "actions")
    }

    @Test func `fields of the wrong type are refused`() throws {
        try file(without: ["observations"]) { root throws(HDF5Error) in
            try root.write("observations", [true, false, true], shape: [3, 1])
        }
        #expect(failure()?.code == .wrongType)
        try file(without: ["observations"]) { root throws(HDF5Error) in
            try root.createGroup("observations")
        }
        #expect(failure()?.code == .missingField)
        try file(without: ["terminals"]) { root throws(HDF5Error) in
            try root.write("terminals", [0, 0.5, 1], shape: [3])
        }
        let flags = failure()
        #expect(flags?.code == .wrongType)
        #expect(flags?.detail.contains("0.5 in row 1") == true)
    }

    @Test(arguments: [Double.nan, .infinity, 1e300])
    func `numbers that are none in single precision are found`(value: Double) throws {
        try file(without: ["observations"]) { root throws(HDF5Error) in
            try root.write("observations", [1, 2, 3, 4, 5, value], shape: [3, 2])
        }
        let error = failure()
        #expect(error?.code == .notFinite)
        #expect(error?.detail.contains("row 2, column 1") == true)
        var options = TrajectoryDataset.ReadingOptions()
        options.allowsNonFinite = true
        let summary = try DatasetSummary(TrajectoryDataset(contentsOf: url, options: options))
        #expect(summary.warnings.contains("observation dimension 1 is NaN or infinite in 1 rows"))
    }

    @Test(arguments: [Float.nan, -.infinity])
    func `what could not be read back is not written`(value: Float) throws {
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let broken = TrajectoryDataset(
            layout: layout,
            trajectories: [
                Trajectory(
                    layout: layout, observations: [1, 2, 3, 4], actions: [0, value],
                    rewards: [1, 2], ending: .timeout)
            ])
        for write in [
            { try broken.write(to: url) }, { try broken.writeMinari(to: folder.file("a-v0")) },
        ] {
            let error = #expect(throws: DatasetError.self) { try write() }
            #expect(error?.code == .notFinite && error?.field == "actions")
            #expect(error?.detail.hasPrefix("step 1 of episode 0 has") == true)
        }
        #expect(try folder.contents() == [])
    }

    @Test func `files without rows are refused`() throws {
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            try root.write("observations", [Float](), shape: [0, 2])
            try root.write("actions", [Float](), shape: [0, 1])
            for name in ["rewards", "terminals", "timeouts"] {
                try root.write(name, [Float](), shape: [0])
            }
        }
        #expect(failure()?.code == .empty)
        #expect(failure(.authors)?.code == .empty)
        let nothing = #expect(throws: DatasetError.self) { try dataset([]).write(to: url) }
        #expect(nothing?.code == .empty)
    }

    @Test func `a file cut short is refused`() throws {
        try dataset([(50, .timeout), (30, .terminal)]).write(to: url)
        let data = try Data(contentsOf: url)
        for length in stride(from: 0, to: data.count, by: data.count / 40) {
            try data.prefix(length).write(to: url)
            #expect(failure()?.code == .unreadable)
        }
    }

    @Test func `episodes that span the blocks of reading are whole, with any storage`() throws {
        // A block holds about a million numbers; these are several, and gzip's chunks do not fit.
        let layout = TransitionLayout(observationDimension: 700, actionDimension: 1)
        let episodes = [900, 1, 2500, 1499, 400].enumerated().map { index, count in
            Trajectory(
                layout: layout,
                observations: (0..<(count * 700)).map { Float($0 % 8191 + index) },
                actions: (0..<count).map { Float($0) }, rewards: (0..<count).map { Float(-$0) },
                ending: index == 1 ? .terminal : .timeout)
        }
        for level in [nil, 1] {
            try TrajectoryDataset(layout: layout, trajectories: episodes)
                .write(to: url, gzipLevel: level)
            #expect(try TrajectoryDataset(contentsOf: url).trajectories == episodes)
            var rewards: [[Float]] = []
            try DatasetFile(url).forEachEpisodeRewards { values, _ in rewards.append(values) }
            #expect(rewards == episodes.map(\.rewards))
        }
    }

    @Test func `the summary counts episodes, returns and endings`() throws {
        let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
        func episode(_ rewards: [Float], _ ending: Trajectory.Ending) -> Trajectory {
            Trajectory(
                layout: layout, observations: rewards.map { _ in 4 }, actions: rewards,
                rewards: rewards, ending: ending)
        }
        let summary = DatasetSummary(
            TrajectoryDataset(
                layout: layout,
                trajectories: [episode([1, 2, 3], .terminal), episode([-2], .timeout)]))
        #expect(summary.transitions == 4)
        #expect(
            summary.returns
                == DatasetSummary(
                    TrajectoryDataset(
                        layout: layout,
                        trajectories: [episode([6], .timeout), episode([-2], .timeout)])
                ).returns)
        #expect(summary.returns.mean == 2)
        #expect(summary.lengths.maximum == 3)
        #expect(summary.endings == ["terminal": 1, "timeout": 1])
        #expect(
            summary.warnings
                == ["observation dimension 0 is always 4.0", "1 episode has a single step"])
    }

    @Test func `two hundred thousand rows are written and read within seconds`() throws {
        let written = dataset((0..<200).map { _ in (1000, .timeout) })
        let clock = ContinuousClock()
        let writing = try clock.measure { try written.write(to: url, gzipLevel: nil) }
        var read: TrajectoryDataset?
        let reading = try clock.measure { read = try TrajectoryDataset(contentsOf: url) }
        print("write \(writing), read \(reading) (200,000 rows)")
        #expect(read == written)
        #expect(reading < .seconds(5))
    }
}
