import Datasets
import Foundation
import HDF5
import TestSupport
import Testing
import Trajectories

/// Datasets that Minari's own package wrote (`Fixtures/minari/make_minari.py`), and our own.
@Suite struct MinariTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static let lengths = [5, 1, 3, 7, 2, 4, 6, 1, 2, 3, 8, 4]

    /// The number that the script puts at this place.
    private func value(_ episode: Int, _ row: Int, _ column: Int) -> Float {
        Float(episode) + Float(row) / 16 + Float(column) / 256
    }

    private func values(_ episode: Int, _ rows: Int, _ columns: [Int]) -> [Float] {
        (0..<rows).flatMap { row in columns.map { value(episode, row, $0) } }
    }

    private func fixture(_ name: String) throws -> URL { try golden.url("minari/\(name)") }

    @Test(arguments: ["boxes-v0", "boxes-v0/data", "boxes-v0/data/main_data.hdf5"])
    func `what Minari wrote is read, given as folder or file`(path: String) throws {
        let file = try DatasetFile(fixture(path))
        #expect(file.format == .minari)
        #expect(file.rowCount == Self.lengths.reduce(0, +))
        let dataset = try TrajectoryDataset(contentsOf: fixture(path))
        #expect(dataset.layout == TransitionLayout(observationDimension: 3, actionDimension: 2))
        #expect(dataset.trajectories.map(\.count) == Self.lengths)
        for (index, episode) in dataset.trajectories.enumerated() {
            #expect(episode.observations == values(index, episode.count, [0, 1, 2]))
            #expect(episode.actions == values(index, episode.count, [100, 101]))
            #expect(episode.rewards == values(index, episode.count, [200]))
            let endings: [Trajectory.Ending] = [.terminal, .timeout, .terminal, .unfinished]
            #expect(episode.ending == endings[index % 4])
        }
        #expect(dataset.attributes["environment"] == "CartPole-v1")
        #expect(dataset.attributes["dataset_id"] == "boxes-v0")
        #expect(dataset.attributes["algorithm_name"] == "numbers")
        #expect(dataset.attributes["author"] == "tests")
        #expect(dataset.attributes["total_steps"] == nil)
    }

    @Test func `dictionary observations are joined, the agent's own first`() throws {
        let dataset = try TrajectoryDataset(contentsOf: fixture("maze-v0"))
        #expect(dataset.layout.observationDimension == 8)
        let columns = [0, 1, 2, 3, 50, 51, 60, 61]
        for (index, episode) in dataset.trajectories.enumerated() {
            #expect(episode.observations == values(index, episode.count, columns))
            #expect(episode.rewards == values(index, episode.count, [200]))
        }
        #expect(
            dataset.attributes["observation_columns"]
                == "observation:4,achieved_goal:2,desired_goal:2")
    }

    @Test func `the keys to join, their order and number are an option`() throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.observationKeys = ["desired_goal", "observation"]
        let chosen = try TrajectoryDataset(contentsOf: fixture("maze-v0"), options: options)
        #expect(chosen.trajectories[3].observations == values(3, 7, [60, 61, 0, 1, 2, 3]))
        options.observationDimensions = 3
        let cut = try TrajectoryDataset(contentsOf: fixture("maze-v0"), options: options)
        #expect(cut.trajectories[3].observations == values(3, 7, [60, 61, 0]))
        #expect(cut.attributes["observation_columns"] == "desired_goal:2,observation:1")
        options.observationKeys = ["goal"]
        let missing = #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: fixture("maze-v0"), options: options)
        }
        #expect(missing?.code == .missingField)
        options.observationKeys = []
        let none = #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: fixture("maze-v0"), options: options)
        }
        #expect(none?.detail.hasPrefix("no observation keys were given") == true)
        let flat = #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: golden.url("dataset.hdf5"), options: options)
        }
        #expect(flat?.field == "observations")
        #expect(
            missing?.detail.hasSuffix("the keys achieved_goal, desired_goal, observation") == true)
    }

    @Test func `rewards are read without the rest`() throws {
        var rewards: [[Float]] = []
        try DatasetFile(fixture("maze-v0")).forEachEpisodeRewards { values, _ in
            rewards.append(values)
        }
        #expect(rewards == (0..<4).map { values($0, Self.lengths[$0], [200]) })
    }

    // MARK: - Written by us

    private func dataset(_ attributes: [String: String] = [:]) -> TrajectoryDataset {
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let endings: [Trajectory.Ending] = [.unfinished, .terminal, .timeout]
        return TrajectoryDataset(
            layout: layout,
            trajectories: endings.enumerated().map { index, ending in
                Trajectory(
                    layout: layout, observations: values(index, index + 2, [0, 1]),
                    actions: (0..<(index + 2)).map { Float($0) / 8 - 1 },
                    rewards: values(index, index + 2, [2]), ending: ending)
            }, attributes: attributes)
    }

    private func metadata(_ url: URL) throws -> [String: Any] {
        let data = try Data(contentsOf: url.appendingPathComponent("data/metadata.json"))
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `what is written is read back, endings included`() throws {
        let url = folder.file("numbers-v0")
        let written = dataset(["environment": "hopper-v5"])
        try written.writeMinari(to: url)
        let read = try TrajectoryDataset(contentsOf: url)
        #expect(read.trajectories == written.trajectories)
        #expect(read.attributes["environment"] == "Hopper-v5")
        #expect(try folder.contents() == ["numbers-v0"])
        // Written again from there it says the same about itself.
        try read.writeMinari(to: folder.file("again-v0"))
        let (first, second) = (
            try metadata(url), try metadata(folder.file("again-v0"))
        )
        for key in ["observation_space", "action_space", "env_spec", "total_steps"] {
            #expect("\(first[key] ?? "")" == "\(second[key] ?? "")", "\(key)")
        }
        #expect(second["dataset_id"] as? String == "again-v0")
    }

    @Test func `the observation after the last step repeats the last`() throws {
        let url = folder.file("numbers-v0")
        try dataset().writeMinari(to: url)
        let root = try HDF5File(reading: url.appendingPathComponent("data/main_data.hdf5")).root
        let episode = try root.group("episode_1")
        #expect(
            try episode.dataset("observations").floats()
                == values(1, 3, [0, 1]) + values(1, 3, [0, 1]).suffix(2))
        #expect(episode.integerAttribute("id") == 1)
        #expect(episode.integerAttribute("total_steps") == 3)
        #expect(episode.integerAttribute("seed") == nil)
    }

    @Test func `options say what the data do not know`() throws {
        var description = MinariDescription()
        description.datasetID = "here/numbers-v3"
        description.environment = "PointMaze_UMaze-v3"
        description.maxEpisodeSteps = 300
        description.actionLimits = [-2...0.5]
        description.author = "someone"
        try dataset().writeMinari(to: folder.file("any"), description: description)
        let written = try metadata(folder.file("any"))
        #expect(written["dataset_id"] as? String == "here/numbers-v3")
        #expect(written["author"] as? [String] == ["someone"])
        #expect(
            written["action_space"] as? String
                == """
                {"type": "Box", "dtype": "float32", "shape": [1], "low": [-2.0], "high": [0.5]}
                """)
        let spec = try #require(written["env_spec"] as? String)
        #expect(spec.hasPrefix(#"{"id": "PointMaze_UMaze-v3", "entry_point": null, "#))
        #expect(spec.contains(#""max_episode_steps": 300"#))
    }

    @Test func `bad names, limits and places are refused and leave nothing`() throws {
        func code(_ name: String, _ change: (inout MinariDescription) -> Void = { _ in })
            -> DatasetError.Code?
        {
            var description = MinariDescription()
            change(&description)
            return #expect(throws: DatasetError.self) {
                try dataset().writeMinari(to: folder.file(name), description: description)
            }?.code
        }
        #expect(code("numbers") == .unwritable)
        #expect(code("-v1") == .unwritable)
        #expect(code("a-v1") { $0.datasetID = "a b-v1" } == .unwritable)
        #expect(code("a-v1") { $0.actionLimits = [0...1, 0...1] } == .shapeMismatch)
        let nowhere = #expect(throws: DatasetError.self) {
            try dataset().writeMinari(to: URL(fileURLWithPath: "/proc/none/a-v1"))
        }
        #expect(nowhere?.code == .unwritable)
        #expect(try folder.contents() == [])
        try dataset().writeMinari(to: folder.file("a-v1"))
        #expect(code("a-v1") == .unwritable)
        #expect(try TrajectoryDataset(contentsOf: folder.file("a-v1")).rowCount == 9)
        #expect(try folder.contents() == ["a-v1"])
    }

    // MARK: - Datasets as others write them

    /// A dataset of one episode of two steps in the layout of Minari 0.4, with parts left out or
    /// replaced.
    private func file(
        without left: Set<String> = [], count: Int? = 1,
        _ body: (HDF5Group) throws(HDF5Error) -> Void = { _ in }
    ) throws -> URL {
        let url = folder.file("main_data.hdf5")
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            try root.setAttribute("dataset_id", "old-v0")
            if let count { try root.setAttribute("total_episodes", count) }
            let episode = try root.createGroup("episode_0")
            func write(_ name: String, _ values: [Double], _ shape: [Int]) throws(HDF5Error) {
                if !left.contains(name) { try episode.write(name, values, shape: shape) }
            }
            try write("observations", [1, 2, 3, 4, 5, 6], [3, 2])
            try write("actions", [1, 2], [2, 1])
            try write("rewards", [1, 2], [2])
            try write("terminations", [0, 1], [2])
            try write("truncations", [0, 0], [2])
            try body(episode)
        }
        return url
    }

    private func failure(_ url: URL) -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try TrajectoryDataset(contentsOf: url) }
        #expect(error?.description.contains("\n") == false)
        return error
    }

    @Test(arguments: [1, nil])
    func `the layout of Minari 0.4 is read`(count: Int?) throws {
        let dataset = try TrajectoryDataset(contentsOf: file(count: count))
        #expect(dataset.trajectories.map(\.observations) == [[1, 2, 3, 4]])
        #expect(dataset.trajectories.map(\.ending) == [.terminal])
        #expect(dataset.attributes["dataset_id"] == "old-v0")
    }

    @Test(arguments: ["observations", "actions", "rewards", "terminations", "truncations"])
    func `a missing array is named`(name: String) throws {
        let error = try failure(file(without: [name]))
        #expect(error?.code == .missingField)
        #expect(error?.field == "episode_0/\(name)")
    }

    @Test(arguments: [
        ("observations", [1, 2]), ("observations", [4, 2]), ("observations", [3, 0]),
        ("actions", [3, 1]), ("actions", [0, 1]), ("rewards", [2, 2]), ("terminations", [3]),
        ("truncations", [1]),
    ])
    func `a wrong shape is named`(name: String, shape: [Int]) throws {
        let error = try failure(
            file(without: [name]) { episode throws(HDF5Error) in
                try episode.write(
                    name, [Double](repeating: 0, count: shape.reduce(1, *)), shape: shape)
            })
        #expect(error?.code == .shapeMismatch)
        #expect(error?.field?.hasPrefix("episode_0/") == true)
    }

    @Test func `an episode may lack the observation after its last step`() throws {
        let dataset = try TrajectoryDataset(
            contentsOf: file(without: ["observations"]) { episode throws(HDF5Error) in
                try episode.write("observations", [1.0, 2, 3, 4], shape: [2, 2])
            })
        #expect(dataset.trajectories.map(\.observations) == [[1, 2, 3, 4]])
        let actions = try failure(
            file(without: ["actions"]) { episode throws(HDF5Error) in
                try episode.write("actions", [1.0, 2, 3], shape: [3, 1])
            })
        #expect(actions?.detail.contains("expected 2 rows of 1 for 2 steps") == true)
    }

    @Test func `options that a Minari dataset has no use for are refused, and longer episodes cut`()
        throws
    {
        let url = try file()
        for change in [
            { (options: inout TrajectoryDataset.ReadingOptions) in options.dropsLastRow = true },
            { $0.hasNoTimeLimit = true },
        ] {
            var options = TrajectoryDataset.ReadingOptions()
            change(&options)
            let error = #expect(throws: DatasetError.self) {
                try TrajectoryDataset(contentsOf: url, options: options)
            }
            #expect(error?.code == .unusedOption)
        }
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 1
        let cut = try TrajectoryDataset(contentsOf: url, options: options)
        #expect(cut.trajectories.map(\.ending) == [.timeout, .terminal])
        #expect(cut.notes.count == 1 && cut.notes[0].hasPrefix("1 episodes of"))
    }

    @Test func `spaces that no key names are no obstacle`() throws {
        _ = try file(without: ["observations"]) { episode throws(HDF5Error) in
            let group = try episode.createGroup("observations")
            try group.write("observation", [1.0, 2, 3], shape: [3, 1])
            try group.write("direction", [0, 1, 2] as [Int64], shape: [3])
        }
        let space =
            #"{\"type\": \"Dict\", \"subspaces\": {\"observation\": {\"type\": \"Box\"}, "#
            + #"\"direction\": {\"type\": \"Text\", \"n\": 4}}}"#
        try Data(#"{"total_episodes": 1, "observation_space": "\#(space)"}"#.utf8)
            .write(to: folder.file("metadata.json"))
        let all = failure(folder.url)
        #expect(all?.code == .wrongType)
        #expect(all?.detail.contains("'direction' in it is a Text space") == true)
        #expect(all?.detail.contains("observation keys") == true)
        var options = TrajectoryDataset.ReadingOptions()
        options.observationKeys = ["observation"]
        let read = try TrajectoryDataset(contentsOf: folder.url, options: options)
        #expect(read.trajectories.map(\.observations) == [[1, 2]])
        options.observationKeys = ["direction"]
        #expect(throws: DatasetError.self) {
            try TrajectoryDataset(contentsOf: folder.url, options: options)
        }
    }

    @Test func `written spaces are of single precision, as the data are`() throws {
        var data = dataset()
        let (width, actions) = (data.layout.observationDimension, data.layout.actionDimension)
        func list(_ value: String, _ count: Int) -> String {
            Array(repeating: value, count: count).joined(separator: ", ")
        }
        data.attributes["observation_space"] =
            #"{"type": "Box", "dtype": "int64", "shape": [\#(width)], "#
            + #""low": [\#(list("-9223372036854775808", width))], "high": [\#(list("200", width))]}"#
        data.attributes["action_space"] =
            #"{"type": "Box", "dtype": "float64", "shape": [\#(actions)], "#
            + #""low": [\#(list("-Infinity", actions))], "high": [\#(list("0.1", actions))]}"#
        try data.writeMinari(to: folder.file("a-v1"))
        let text = try String(
            contentsOf: folder.file("a-v1").appendingPathComponent("data/metadata.json"),
            encoding: .utf8)
        #expect(!text.contains("int64") && !text.contains("float64"))
        #expect(text.contains(#"\"high\": [\#(list("200.0", width))]"#))
        #expect(text.contains(#"\"low\": [\#(list("-Infinity", actions))]"#))
        #expect(text.contains(#"\"high\": [\#(list("0.1", actions))]"#))
    }

    @Test func `an episode without steps, or none at all, is refused`() throws {
        let empty = try failure(
            file(without: ["rewards"]) { episode throws(HDF5Error) in
                try episode.write("rewards", [Double](), shape: [0])
            })
        #expect(empty?.code == .empty)
        #expect(empty?.field == "episode_0/rewards")
        let missing = try failure(file(count: 2))
        #expect(missing?.code == .missingField)
        #expect(missing?.field == "episode_1")
        #expect(try failure(file(count: 0))?.code == .empty)
    }

    @Test func `wrong types and numbers that are none are named`() throws {
        let flags = try failure(
            file(without: ["truncations"]) { episode throws(HDF5Error) in
                try episode.write("truncations", [0, 0.5], shape: [2])
            })
        #expect(flags?.code == .wrongType)
        let words = try failure(
            file(without: ["actions"]) { episode throws(HDF5Error) in
                try episode.write("actions", [true, false], shape: [2, 1])
            })
        #expect(words?.code == .wrongType)
        #expect(words?.field == "episode_0/actions")
        let broken = try failure(
            file(without: ["observations"]) { episode throws(HDF5Error) in
                try episode.write("observations", [1, 2, 3, Double.nan, 5, 6], shape: [3, 2])
            })
        #expect(broken?.code == .notFinite)
        #expect(broken?.detail.hasPrefix("row 1, column 1 is nan") == true)
    }

    @Test func `foreign spaces and other data formats are refused`() throws {
        let metadata = folder.file("metadata.json")
        _ = try file()
        func write(_ text: String) throws { try Data(text.utf8).write(to: metadata) }
        try write(
            #"{"total_episodes": 1, "action_space": "{\"type\": \"Dict\", \"subspaces\": {\"a\": "#
                + #"{\"type\": \"Graph\", \"n\": 4}, \"b\": {\"type\": \"Box\", \"low\": "#
                + #"[-Infinity]}}}"}"#)
        let space = failure(folder.url)
        #expect(space?.code == .wrongType)
        #expect(space?.detail.contains("Graph") == true)
        try write("{")
        #expect(failure(folder.url)?.file == metadata.path)
        try write(#"{"data_format": "arrow", "total_episodes": 1}"#)
        try FileManager.default.removeItem(at: folder.file("main_data.hdf5"))
        #expect(failure(folder.url)?.detail.contains("'arrow'") == true)
        try FileManager.default.removeItem(at: metadata)
        #expect(failure(folder.url)?.detail.contains("no Minari dataset") == true)
    }

    @Test func `a file cut short is refused`() throws {
        let url = folder.file("main_data.hdf5")
        let data = try Data(contentsOf: fixture("boxes-v0/data/main_data.hdf5"))
        for length in stride(from: 0, to: data.count, by: data.count / 20) {
            try data.prefix(length).write(to: url)
            #expect(failure(url)?.code == .unreadable)
            #expect(failure(folder.url)?.code == .unreadable)
        }
    }
}
