import Datasets
import Foundation
import TestSupport
import Testing
import Trajectories

/// Files of other programs; `Fixtures/formats/make_formats.py` says what is in them.
@Suite struct FormatsTests {
    private static func fixture(_ name: String) throws -> URL {
        try golden.url("formats/\(name)")
    }

    /// Observations, actions and rewards of the rows from `first` on.
    private static func rows(_ rows: Range<Int>) -> (
        observations: [Float], actions: [Float], rewards: [Float]
    ) {
        let numbers = rows.map(Float.init)
        return (
            numbers.flatMap { [$0, $0 + 0.25, $0 + 0.5] }, numbers.flatMap { [-$0, $0 / 100] },
            numbers.map { $0 / 2 }
        )
    }

    private static let parts = [0..<4, 4..<7, 7..<12]

    private func expect(
        _ data: TrajectoryDataset, endings: [Trajectory.Ending], hasRewards: Bool = true,
        _ comment: Comment
    ) {
        #expect(data.trajectories.count == 3, comment)
        #expect(data.trajectories.map(\.ending) == endings, comment)
        for (trajectory, part) in zip(data.trajectories, Self.parts) {
            let expected = Self.rows(part)
            #expect(trajectory.observations == expected.observations, comment)
            #expect(trajectory.actions == expected.actions, comment)
            #expect(
                trajectory.rewards
                    == (hasRewards ? expected.rewards : part.map { _ in 0 }), comment)
        }
    }

    @Test(arguments: [
        ("plain.npz", DatasetFile.Format.npz), ("compressed.npz", .npz), ("d3rlpy1.h5", .d4rl),
    ])
    func `arrays over all steps are read, from archives of NumPy's as from HDF5`(
        name: String, format: DatasetFile.Format
    ) throws {
        let url = try Self.fixture(name)
        #expect(try DatasetFile(url).format == format)
        expect(
            try TrajectoryDataset(contentsOf: url), endings: [.terminal, .timeout, .unfinished],
            "\(name)")
    }

    @Test func `no keys are chosen among observations that have none`() throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.observationKeys = ["position"]
        for name in ["ogbench.npz", "d3rlpy2.h5"] {
            let error = #expect(throws: DatasetError.self) {
                try TrajectoryDataset(contentsOf: Self.fixture(name), options: options)
            }
            #expect(error?.code == .missingField, "\(name)")
        }
    }

    @Test func `OGBench's trajectories lose their last row, which is an observation only`() throws {
        let url = try Self.fixture("ogbench.npz")
        let file = try DatasetFile(url)
        #expect(file.format == .ogbench)
        #expect(file.rowCount == 12)
        #expect(file.notes.contains { $0.contains("all rewards are 0") })
        let data = try TrajectoryDataset(contentsOf: url)
        expect(data, endings: [.timeout, .timeout, .timeout], hasRewards: false, "ogbench")
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 3
        let cut = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(cut.trajectories.map(\.count) == [3, 1, 3, 3, 2])
        #expect(cut.rowCount == 12)
    }

    @Test func `d3rlpy's files of version 2 have an array for each episode`() throws {
        let url = try Self.fixture("d3rlpy2.h5")
        #expect(try DatasetFile(url).format == .d3rlpy)
        expect(
            try TrajectoryDataset(contentsOf: url), endings: [.terminal, .timeout, .timeout],
            "d3rlpy2")
    }

    @Test func `robomimic's demonstrations are read in order, pictures left out`() throws {
        let url = try Self.fixture("robomimic.hdf5")
        var options = TrajectoryDataset.ReadingOptions()
        options.observationKeys = ["arm", "object"]
        let data = try TrajectoryDataset(contentsOf: url, options: options)
        expect(data, endings: [.terminal, .timeout, .timeout], "robomimic")
        #expect(data.attributes["environment"] == "Lift")
        #expect(data.attributes["observation_columns"] == "arm:1,object:2")
        let all = try DatasetFile(url)
        #expect(all.format == .robomimic)
        #expect(all.layout.observationDimension == 3)
        #expect(all.notes.contains { $0.contains("agentview_image") })
        options.observationKeys = ["leg"]
        let error = #expect(throws: DatasetError.self) { try DatasetFile(url, options: options) }
        #expect(error?.description.contains("agentview_image, arm, object") == true)
    }

    @Test func `actions of one number need no dimension of their own`() throws {
        let data = try TrajectoryDataset(contentsOf: Self.fixture("flat_actions.hdf5"))
        #expect(data.layout == TransitionLayout(observationDimension: 3, actionDimension: 1))
        #expect(data.trajectories[1].actions == [-4, -5, -6])
    }

    @Test func `episodes with NaN are left out where that is asked for`() throws {
        let url = try Self.fixture("nan.hdf5")
        #expect(throws: DatasetError.self) { try TrajectoryDataset(contentsOf: url) }
        var options = TrajectoryDataset.ReadingOptions()
        options.dropsNonFiniteEpisodes = true
        let file = try DatasetFile(url, options: options)
        #expect(file.rowCount == 9)
        #expect(file.notes.contains { $0.hasPrefix("1 of 3 episodes") })
        let data = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(data.trajectories.map(\.rewards) == [[0, 0.5, 1, 1.5], [3.5, 4, 4.5, 5, 5.5]])
        var rewards: [[Float]] = []
        try file.forEachEpisodeRewards { episode, _ in rewards.append(episode) }
        #expect(rewards == data.trajectories.map(\.rewards))
    }

    @Test func `several datasets are one, whatever their formats`() throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.joined = try [Self.fixture("d3rlpy2.h5"), Self.fixture("ogbench.npz")]
        let data = try TrajectoryDataset(contentsOf: Self.fixture("plain.npz"), options: options)
        #expect(data.rowCount == 36 && data.trajectories.count == 9)
        #expect(data.trajectories[3].rewards == [0, 0.5, 1, 1.5])
        options.joined = [try Self.fixture("flat_actions.hdf5")]
        let error = #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: Self.fixture("plain.npz"), options: options)
        }
        #expect(error?.description.contains("only data of one environment") == true)
    }

    @Test func `options that a format has no use for are refused`() throws {
        for option in [\TrajectoryDataset.ReadingOptions.dropsLastRow, \.hasNoTimeLimit] {
            var options = TrajectoryDataset.ReadingOptions()
            options[keyPath: option] = true
            for name in ["ogbench.npz", "d3rlpy2.h5", "robomimic.hdf5"] {
                let error = #expect(throws: DatasetError.self, "\(name)") {
                    try DatasetFile(Self.fixture(name), options: options)
                }
                #expect(error?.code == .unusedOption)
            }
        }
    }
}
