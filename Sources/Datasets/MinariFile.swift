import Foundation
import HDF5
import Trajectories

/// A Minari dataset: an HDF5 file with a group for each episode, and what `metadata.json` beside it
/// says.
///
/// The layout is that of Minari 0.5; where there is no `metadata.json` the attributes of the file's
/// root say the same, as in Minari 0.4. Observations are one array, or arrays in (nested) groups,
/// which are joined; each has a row more than the episode has steps, of which the last is left out.
struct MinariFile: EpisodeSource {
    /// Where the parts of a dataset lie.
    struct Place {
        let data: URL
        let metadata: URL

        init(data: URL) {
            self.data = data
            metadata = data.deletingLastPathComponent().appendingPathComponent("metadata.json")
        }
    }

    /// The name of the HDF5 file of a dataset.
    static let dataName = "main_data.hdf5"

    /// An array of every episode that makes some columns.
    private struct Leaf {
        /// Path within the episode's group, such as `observations/desired_goal`.
        let path: String
        /// Numbers in a row.
        let width: Int
    }

    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String]
    let notes: [String]

    private let reader: CheckedReader
    private let root: HDF5Group
    private let episodeCount: Int
    private let maxEpisodeLength: Int?
    private let observations: [Leaf]
    private let actions: [Leaf]

    /// The dataset that lies at `url` if that is a folder, nil if it is a file.
    static func place(_ url: URL) throws -> Place? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return nil }
        for folder in [url.appendingPathComponent("data"), url] {
            let place = Place(data: folder.appendingPathComponent(dataName))
            if FileManager.default.fileExists(atPath: place.data.path) { return place }
            if FileManager.default.fileExists(atPath: place.metadata.path) {
                let format = try MinariMetadata(place).texts["data_format"] ?? "none"
                throw DatasetError(
                    .unreadable, file: url.path,
                    "its data format is '\(format)' and there is no \(dataName); create the "
                        + "dataset with data_format=\"hdf5\"")
            }
        }
        throw DatasetError(
            .unreadable, file: url.path,
            "the folder is no Minari dataset: it has no data/\(dataName); give the dataset's folder "
                + "or an HDF5 file")
    }

    init(_ place: Place, options: TrajectoryDataset.ReadingOptions) throws {
        let file = try HDF5File(
            reading: place.data, followsExternal: options.followsExternal)
        let root = file.root
        for (isSet, what) in [
            (
                options.dropsLastRow,
                "leaving out the last row is for files that the authors' code reads"
            ),
            (options.hasNoTimeLimit, "a Minari dataset marks where a time limit cut"),
        ] where isSet {
            throw DatasetError(.unusedOption, file: file.path, what)
        }
        let metadata = try MinariMetadata(place, root)
        try metadata.requireBoxes(
            "observation_space", file: file.path, keys: options.observationKeys)
        try metadata.requireBoxes("action_space", file: file.path)
        if let count = metadata.episodeCount {
            episodeCount = count
        } else {
            episodeCount = (0...).first { !root.contains("episode_\($0)") } ?? 0
        }
        guard episodeCount > 0 else {
            throw DatasetError(.empty, file: file.path, "there are no episodes")
        }
        let first = try root.group("episode_0")
        var observations = try MinariFile.leaves(of: first, "observations")
        let keys = observations.map { String($0.path.dropFirst("observations/".count)) }
        if let wanted = options.observationKeys {
            guard !wanted.isEmpty else {
                throw DatasetError(
                    .missingField, file: file.path, field: "episode_0/observations",
                    "no observation keys were given; name one or leave the option out")
            }
            observations = try wanted.map { key in
                guard let index = keys.firstIndex(of: key), !key.isEmpty else {
                    let has = keys == [""] ? "no keys" : "the keys " + keys.joined(separator: ", ")
                    throw DatasetError(
                        .missingField, file: file.path, field: "episode_0/observations/\(key)",
                        "there is no such array; the observations have \(has)")
                }
                return observations[index]
            }
        } else if let index = keys.firstIndex(of: "observation") {
            // What the agent itself is like first, goals after it.
            observations.insert(observations.remove(at: index), at: 0)
        }
        actions = try MinariFile.leaves(of: first, "actions")
        var attributes = metadata.attributes
        let width = observations.reduce(0) { $0 + $1.width }
        let (dimension, note) = try options.observationDimension(
            of: width, file: file.path, field: "observations",
            environment: attributes["environment"])
        layout = TransitionLayout(
            observationDimension: dimension,
            actionDimension: actions.reduce(0) { $0 + $1.width })
        if observations.map(\.path) != ["observations"] {
            attributes["observation_columns"] = MinariFile.columns(observations, kept: dimension)
        }
        let discrete =
            Self.discrete(
                observations, attributes["observation_space"], from: 0, kept: dimension)
            + Self.discrete(
                actions, attributes["action_space"], from: dimension,
                kept: layout.actionDimension)
        if !discrete.isEmpty {
            attributes[DiscreteColumn.attribute] = DiscreteColumn.text(discrete)
        }
        self.observations = observations
        self.attributes = attributes
        maxEpisodeLength = options.maxEpisodeLength
        reader = CheckedReader(file: file.path, allowsNonFinite: options.allowsNonFinite)
        self.root = root
        let lengths = try (0..<episodeCount).map {
            try MinariFile.rewards(of: root.group("episode_\($0)")).shape[0]
        }
        rowCount = lengths.reduce(0, +)
        let cut = options.maxEpisodeLength.map { limit in lengths.count { $0 > limit } } ?? 0
        notes = [
            note,
            cut == 0
                ? nil
                : "\(cut) episodes of '\(file.path)' are longer than "
                    + "\(options.maxEpisodeLength ?? 0) steps and are cut",
        ].compactMap(\.self)
    }

    /// Groups within groups that an observation may have.
    private static let deepest = 32
    /// Arrays that an observation may have.
    private static let mostLeaves = 4096

    /// The arrays at `name` within an episode: one, or those of a group of groups, by name.
    ///
    /// - Throws: ``DatasetError`` also where a group is a member of itself, as links can make it.
    private static func leaves(
        of episode: HDF5Group, _ name: String, above: [Int64?] = []
    ) throws -> [Leaf] {
        guard episode.containsGroup(name) else {
            let dataset = try episode.dataset(name)
            // With a row, the product of the others is known to be a size that the file can hold.
            guard let rows = dataset.shape.first, rows > 0, dataset.count > 0 else {
                throw DatasetError(
                    .shapeMismatch, file: episode.file, field: dataset.path,
                    "expected a row for each step, found the shape \(dataset.shape)")
            }
            return [Leaf(path: name, width: dataset.count / rows)]
        }
        func malformed(_ detail: String) -> DatasetError {
            DatasetError(
                .missingField, file: episode.file, field: "\(episode.path)/\(name)", detail)
        }
        let group = try episode.group(name)
        let address = group.address
        guard address == nil || !above.contains(address), above.count < deepest else {
            throw malformed("the group is a member of itself, or lies too deep; record it again")
        }
        // Tuples have members _index_0, _index_1, …, _index_10, which count.
        let members = try group.members().sorted {
            $0.hasPrefix("_index_") && $1.hasPrefix("_index_") && $0.utf8.count != $1.utf8.count
                ? $0.utf8.count < $1.utf8.count : $0 < $1
        }
        guard !members.isEmpty else {
            throw malformed("the group holds no arrays; record the dataset again")
        }
        var result: [Leaf] = []
        for member in members {
            result += try leaves(of: episode, "\(name)/\(member)", above: above + [address])
            guard result.count <= mostLeaves else {
                throw malformed("the group holds more than \(mostLeaves) arrays")
            }
        }
        return result
    }

    /// Which of the first `kept` columns of the joined observations are whose, such as
    /// `observation:4,desired_goal:2`.
    private static func columns(_ leaves: [Leaf], kept: Int) -> String {
        var left = kept
        var parts: [String] = []
        for leaf in leaves where left > 0 {
            let width = min(leaf.width, left)
            parts.append("\(leaf.path.dropFirst("observations/".count)):\(width)")
            left -= width
        }
        return parts.joined(separator: ",")
    }

    /// The columns of arrays side by side that hold a few whole numbers, as their space says.
    private static func discrete(
        _ leaves: [Leaf], _ space: String?, from first: Int, kept: Int
    ) -> [DiscreteColumn] {
        guard let space = space.flatMap(MinariSpace.object) else { return [] }
        var (result, column): ([DiscreteColumn], Int) = ([], 0)
        for leaf in leaves {
            let path = leaf.path.drop { $0 != "/" }.dropFirst()
            let values = MinariSpace.discrete(in: space, at: path, width: leaf.width) ?? []
            for (index, value) in values.enumerated() where column + index < kept {
                result.append(
                    DiscreteColumn(
                        column: first + column + index, count: value.count, start: value.start))
            }
            column += leaf.width
        }
        return result
    }

    private static func rewards(of episode: HDF5Group) throws -> HDF5Dataset {
        let rewards = try episode.dataset("rewards")
        guard rewards.shape.count == 1 || (rewards.shape.count == 2 && rewards.shape[1] == 1) else {
            throw DatasetError(
                .shapeMismatch, file: episode.file, field: rewards.path,
                "expected the shape [T], found \(rewards.shape)")
        }
        guard rewards.shape[0] > 0 else {
            throw DatasetError(
                .empty, file: episode.file, field: rewards.path,
                "the episode has no steps; remove it from the dataset")
        }
        return rewards
    }

    // MARK: - Reading episodes

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        for index in 0..<episodeCount {
            let episode = try root.group("episode_\(index)")
            let rewards = try MinariFile.rewards(of: episode)
            let steps = rewards.shape[0]
            let block = EpisodeCutter.Block(
                observations: rewardsOnly
                    ? []
                    : try joined(
                        observations, of: episode, steps: steps, mayHaveMore: true,
                        kept: layout.observationDimension),
                actions: rewardsOnly
                    ? []
                    : try joined(
                        actions, of: episode, steps: steps, mayHaveMore: false,
                        kept: layout.actionDimension),
                rewards: try reader.numbers(rewards, rows: 0..<steps, columns: 1),
                terminals: try flags("terminations", of: episode, steps: steps),
                timeouts: try flags("truncations", of: episode, steps: steps))
            var cutter = EpisodeCutter(layout, maxLength: maxEpisodeLength)
            try cutter.add(block, isLast: true, body)
        }
    }

    private func flags(_ name: String, of episode: HDF5Group, steps: Int) throws -> [Bool] {
        let column = try reader.column(
            name, of: episode, rows: steps, fitting: "\(episode.path)/rewards")
        return try reader.flags(column, rows: 0..<steps)
    }

    /// The first `steps` rows of arrays side by side, less the columns from `kept` on.
    ///
    /// Observations may have a row more, the one after the last step; some recorders leave it out.
    private func joined(
        _ leaves: [Leaf], of episode: HDF5Group, steps: Int, mayHaveMore: Bool, kept: Int
    ) throws -> [Float] {
        var parts: [(values: [Float], width: Int)] = []
        var left = kept
        for leaf in leaves where left > 0 {
            let dataset = try episode.dataset(leaf.path)
            let rows = dataset.shape.first ?? 0
            guard rows == steps || (mayHaveMore && rows == steps + 1),
                dataset.count == rows * leaf.width
            else {
                throw DatasetError(
                    .shapeMismatch, file: episode.file, field: dataset.path,
                    "expected \(mayHaveMore ? "\(steps + 1) or " : "")\(steps) rows of "
                        + "\(leaf.width) for \(steps) steps, found the shape \(dataset.shape)")
            }
            let keep = min(leaf.width, left)
            parts.append(
                (
                    try reader.numbers(
                        dataset, rows: 0..<steps, columns: leaf.width, kept: keep), keep
                ))
            left -= keep
        }
        if parts.count == 1 { return parts[0].values }
        var result: [Float] = []
        result.reserveCapacity(steps * kept)
        for row in 0..<steps {
            for (values, width) in parts {
                result += values[(row * width)..<((row + 1) * width)]
            }
        }
        return result
    }
}
