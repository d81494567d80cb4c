import Foundation
import HDF5
import Trajectories

/// An HDF5 file with arrays of its own for each episode, other than Minari's: d3rlpy's since
/// version 2, and robomimic's.
struct EpisodesFile: EpisodeSource {
    /// Where the arrays of an episode lie.
    private struct Place {
        let observations: [String]
        let actions: String
        let rewards: String
        /// A truth value, or one for each row of which the last counts.
        let terminal: String
    }

    let layout: TransitionLayout
    let rowCount: Int
    let attributes: [String: String]
    let notes: [String]

    private let reader: CheckedReader
    private let root: HDF5Group
    private let places: [Place]
    private let lengths: [Int]
    private let widths: [Int]
    private let maxEpisodeLength: Int?

    /// The most episodes that a file may claim.
    private static let most = 100_000_000

    // MARK: - d3rlpy

    /// Whether it is d3rlpy's, of version 2: arrays `observations_0`, `actions_0`, ….
    static func isD3rlpy(_ root: HDF5Group) -> Bool {
        root.contains("num_episodes") && root.contains("columns")
    }

    /// Opens a file of d3rlpy's.
    init(d3rlpy file: HDF5File, options: TrajectoryDataset.ReadingOptions) throws {
        let root = file.root
        try options.requireNoKeys(file: file.path)
        let count = try root.dataset("num_episodes").integers().first ?? 0
        guard count > 0, count <= Self.most else {
            throw DatasetError(
                .empty, file: file.path, field: "num_episodes", "there are \(count) episodes")
        }
        // Observations of several parts have a number each.
        let parts =
            root.contains("observations_0")
            ? nil : (0...).prefix { root.contains("observations_0_\($0)") }.count
        let places = (0..<count).map { index in
            Place(
                observations: parts.map { (0..<$0).map { "observations_\(index)_\($0)" } }
                    ?? ["observations_\(index)"],
                actions: "actions_\(index)", rewards: "rewards_\(index)",
                terminal: "terminated_\(index)")
        }
        try self.init(file, places, attributes: [:], notes: [], options)
    }

    // MARK: - robomimic

    /// Whether it is robomimic's: groups `demo_0`, `demo_1`, … in a group `data`.
    static func isRobomimic(_ root: HDF5Group) -> Bool {
        root.containsGroup("data")
            && (try? root.group("data").members().contains { $0.hasPrefix("demo_") }) == true
    }

    /// Opens a file of robomimic's.
    init(robomimic file: HDF5File, options: TrajectoryDataset.ReadingOptions) throws {
        let data = try file.root.group("data")
        let names = try data.members().filter { $0.hasPrefix("demo_") }
            .sorted { (Int($0.dropFirst(5)) ?? .max, $0) < (Int($1.dropFirst(5)) ?? .max, $1) }
        let first = try data.group(names[0])
        guard first.containsGroup("obs") else {
            throw DatasetError(
                .missingField, file: file.path, field: "data/\(names[0])/obs",
                "there are no observations, only states; have robomimic extract them first "
                    + "(dataset_states_to_obs.py)")
        }
        let observations = try first.group("obs")
        let all = try observations.members()
        let flat = try all.filter { try observations.dataset($0).shape.count <= 2 }
        var notes: [String] = []
        if let wanted = options.observationKeys {
            if let key = wanted.first(where: { !all.contains($0) }) ?? (wanted.isEmpty ? "" : nil) {
                throw DatasetError(
                    .missingField, file: file.path, field: "data/\(names[0])/obs/\(key)",
                    "there is no such array; the observations have the keys "
                        + all.joined(separator: ", "))
            }
        } else if flat.count < all.count {
            notes.append(
                "pictures among the observations of '\(file.path)' are left out: "
                    + all.filter { !flat.contains($0) }.joined(separator: ", "))
        }
        let keys = options.observationKeys ?? flat
        var attributes: [String: String] = data.texts
        let arguments = attributes["env_args"].flatMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        attributes["environment"] = arguments?["env_name"] as? String
        let places = names.map { name in
            Place(
                observations: keys.map { "data/\(name)/obs/\($0)" },
                actions: "data/\(name)/actions", rewards: "data/\(name)/rewards",
                terminal: "data/\(name)/dones")
        }
        let widths = try keys.map { try observations.dataset($0).width }
        attributes["observation_columns"] = zip(keys, widths).map { "\($0):\($1)" }
            .joined(separator: ",")
        try self.init(file, places, attributes: attributes, notes: notes, options)
    }

    // MARK: - Both

    private init(
        _ file: HDF5File, _ places: [Place], attributes: [String: String], notes: [String],
        _ options: TrajectoryDataset.ReadingOptions
    ) throws {
        for (isSet, what) in [
            (
                options.dropsLastRow,
                "leaving out the last row is for files that the authors' code reads"
            ),
            (options.hasNoTimeLimit, "the file has its episodes apart"),
        ] where isSet {
            throw DatasetError(.unusedOption, file: file.path, what)
        }
        let root = file.root
        reader = CheckedReader(file: file.path, allowsNonFinite: options.allowsNonFinite)
        let first = places[0]
        guard !first.observations.isEmpty else {
            throw DatasetError(
                .missingField, file: file.path, "its first episode has no observations")
        }
        widths = try first.observations.map { try root.dataset($0).width }
        let actionWidth = try root.dataset(first.actions).width
        let lengths = try places.map { place in
            let rewards = try root.dataset(place.rewards)
            guard let steps = rewards.shape.first, steps > 0, rewards.width == 1 else {
                throw DatasetError(
                    .shapeMismatch, file: file.path, field: rewards.path,
                    "expected a number for each step, found the shape \(rewards.shape)")
            }
            return steps
        }
        self.lengths = lengths
        rowCount = lengths.reduce(0, +)
        let (dimension, note) = try options.observationDimension(
            of: widths.reduce(0, +), file: file.path, field: "observations",
            environment: attributes["environment"])
        layout = TransitionLayout(
            observationDimension: dimension, actionDimension: actionWidth)
        let cut = options.maxEpisodeLength.map { limit in lengths.count { $0 > limit } } ?? 0
        self.notes =
            notes + [note].compactMap(\.self)
            + (cut == 0
                ? []
                : [
                    "\(cut) episodes of '\(file.path)' are longer than "
                        + "\(options.maxEpisodeLength ?? 0) steps and are cut"
                ])
        self.attributes = attributes
        self.root = root
        self.places = places
        maxEpisodeLength = options.maxEpisodeLength
    }

    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        for (place, steps) in zip(places, lengths) {
            let rewards = try array(place.rewards, steps: steps, width: 1)
            var terminals = [Bool](repeating: false, count: steps)
            terminals[steps - 1] = try isTerminal(place)
            var timeouts = [Bool](repeating: false, count: steps)
            timeouts[steps - 1] = true
            var cutter = EpisodeCutter(layout, maxLength: maxEpisodeLength)
            let block = EpisodeCutter.Block(
                observations: rewardsOnly ? [] : try joined(place, steps: steps),
                actions: rewardsOnly
                    ? []
                    : try reader.numbers(
                        array(place.actions, steps: steps, width: layout.actionDimension),
                        rows: 0..<steps, columns: layout.actionDimension),
                rewards: try reader.numbers(rewards, rows: 0..<steps, columns: 1),
                terminals: terminals, timeouts: timeouts)
            try cutter.add(block, isLast: true, body)
        }
    }

    private func array(_ path: String, steps: Int, width: Int) throws -> HDF5Dataset {
        let array = try root.dataset(path)
        guard array.shape.first == steps, array.width == width else {
            throw DatasetError(
                .shapeMismatch, file: reader.file, field: path,
                "expected \(steps) rows of \(width), found the shape \(array.shape)")
        }
        return array
    }

    /// Whether the environment reached a terminal state at the end.
    private func isTerminal(_ place: Place) throws -> Bool {
        let flag = try root.dataset(place.terminal)
        guard flag.count > 0, flag.shape.count <= 2 else {
            throw DatasetError(
                .shapeMismatch, file: reader.file, field: place.terminal,
                "expected a truth value, found the shape \(flag.shape)")
        }
        let rows = flag.shape.first ?? 1
        return try reader.flags(flag, rows: (rows - 1)..<rows).last ?? false
    }

    /// The arrays of the observations side by side, less the columns that are not kept.
    private func joined(_ place: Place, steps: Int) throws -> [Float] {
        var parts: [(values: [Float], width: Int)] = []
        var left = layout.observationDimension
        for (path, width) in zip(place.observations, widths) where left > 0 {
            let kept = min(width, left)
            let dataset = try array(path, steps: steps, width: width)
            parts.append(
                (try reader.numbers(dataset, rows: 0..<steps, columns: width, kept: kept), kept))
            left -= kept
        }
        guard parts.count > 1 else { return parts.first?.values ?? [] }
        var result: [Float] = []
        result.reserveCapacity(steps * layout.observationDimension)
        for row in 0..<steps {
            for (values, width) in parts { result += values[(row * width)..<((row + 1) * width)] }
        }
        return result
    }
}
