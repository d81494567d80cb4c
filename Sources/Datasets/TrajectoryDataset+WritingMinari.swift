import Files
public import Foundation
import HDF5
import Trajectories

extension TrajectoryDataset {
    /// Writes the episodes as a Minari dataset (version 0.5), a folder, atomically.
    ///
    /// Numbers are single-precision. Minari also keeps the observation after an episode's last
    /// step, which a `Trajectory` does not have: the last observation is repeated in its place.
    ///
    /// - Parameters:
    ///   - url: Where the folder shall lie; there must be none yet, or an empty one.
    ///   - description: What the dataset says about its origin.
    ///   - gzipLevel: How hard to compress, 1 to 9; nil writes plain arrays.
    /// - Throws: ``DatasetError`` when there are no transitions, the name is none that Minari
    ///   accepts, the limits are not one for each action dimension, or the folder is there or
    ///   cannot be written.
    public func writeMinari(
        to url: URL, description: MinariDescription = .init(), gzipLevel: Int? = 4
    ) throws(DatasetError) {
        guard rowCount > 0 else {
            throw DatasetError(.empty, file: url.path, "there are no transitions to write")
        }
        try requireFinite(file: url.path)
        try MinariWriter(
            layout: layout, attributes: attributes, description: description, steps: rowCount,
            episodes: trajectories.count
        ).write(to: url, gzipLevel: gzipLevel) { body in
            for trajectory in trajectories { try body(trajectory) }
        }
    }
}

/// Writes episodes that arrive one after the other as a Minari dataset.
struct MinariWriter {
    /// The version of Minari whose layout is written; later ones read it.
    private static let minariVersion = "0.5.0"

    let layout: TransitionLayout
    let attributes: [String: String]
    let description: MinariDescription
    /// How much there will be.
    let steps, episodes: Int

    /// Writes the folder, whole or not at all; `walk` hands on the episodes.
    func write(
        to url: URL, gzipLevel: Int? = 4, _ walk: ((Trajectory) throws -> Void) throws -> Void
    ) throws(DatasetError) {
        func refuse(_ code: DatasetError.Code, _ detail: String) -> DatasetError {
            DatasetError(code, file: url.path, detail)
        }
        let name = description.datasetID ?? url.lastPathComponent
        if let problem = MinariDescription.problem(withID: name) {
            throw refuse(.unwritable, problem)
        }
        if let limits = description.actionLimits, limits.count != layout.actionDimension {
            throw refuse(
                .shapeMismatch,
                "\(limits.count) action limits were given for \(layout.actionDimension) action "
                    + "dimensions")
        }
        do {
            let folder = try PendingFolder(for: url)
            let data = folder.partial.appendingPathComponent("data")
            let ranges = try writeEpisodes(
                to: data.appendingPathComponent(MinariFile.dataName), gzipLevel: gzipLevel, walk)
            try OutputFile.write(
                metadata(name: name, ranges),
                to: data.appendingPathComponent("metadata.json"))
            try folder.commit()
        } catch let error as DatasetError {
            throw error
        } catch let error as HDF5Error {
            throw DatasetError(.unwritable, file: url.path, field: error.key, error.detail)
        } catch let error as FileError {
            throw refuse(.unwritable, error.detail)
        } catch {
            throw refuse(.unwritable, error.localizedDescription)
        }
    }

    /// Writes the HDF5 file, and returns the range of each action dimension.
    private func writeEpisodes(
        to url: URL, gzipLevel: Int?, _ walk: ((Trajectory) throws -> Void) throws -> Void
    ) throws -> [ClosedRange<Float>] {
        let storage = gzipLevel.map { HDF5Storage.chunked(gzipLevel: $0) } ?? .contiguous
        var index = 0
        let width = layout.actionDimension
        var low = [Float](repeating: .infinity, count: width)
        var high = [Float](repeating: -.infinity, count: width)
        var failure: (any Error)?
        do {
            try HDF5File.write(to: url) { root throws(HDF5Error) in
                do {
                    try walk { trajectory in
                        try write(trajectory, as: index, to: root, storage)
                        index += 1
                        for (place, value) in trajectory.actions.enumerated() {
                            low[place % width] = min(low[place % width], value)
                            high[place % width] = max(high[place % width], value)
                        }
                    }
                } catch {
                    // The library's own error stands in for it until it is out of the library.
                    failure = error
                    throw (error as? HDF5Error)
                        ?? HDF5Error(
                            code: .unwritable, file: url.path, key: nil, detail: "\(error)")
                }
            }
        } catch {
            throw failure ?? error
        }
        return zip(low, high).map { $0...max($0, $1) }
    }

    private func write(
        _ trajectory: Trajectory, as index: Int, to root: HDF5Group, _ storage: HDF5Storage
    ) throws(HDF5Error) {
        let steps = trajectory.count
        let group = try root.createGroup("episode_\(index)")
        try group.setAttribute("id", index)
        try group.setAttribute("total_steps", steps)
        try write(
            "observations", trajectory.observations + trajectory.observation(steps - 1),
            rows: steps + 1, layout.observationDimension, to: group, storage)
        try write(
            "actions", trajectory.actions, rows: steps, layout.actionDimension, to: group, storage)
        try group.write("rewards", trajectory.rewards, shape: [steps], storage: storage)
        for (name, ending) in [
            ("terminations", Trajectory.Ending.terminal), ("truncations", .timeout),
        ] {
            var flags = [Bool](repeating: false, count: steps)
            flags[steps - 1] = trajectory.ending == ending
            try group.write(name, flags, shape: [steps], storage: storage)
        }
    }

    /// Writes numbers as their space says: whole ones where it is discrete.
    private func write(
        _ name: String, _ values: [Float], rows: Int, _ width: Int, to group: HDF5Group,
        _ storage: HDF5Storage
    ) throws(HDF5Error) {
        let space = attributes[name == "actions" ? "action_space" : "observation_space"]
        guard discreteSpace(space, width: width) != nil else {
            return try group.write(name, values, shape: [rows, width], storage: storage)
        }
        try group.write(
            name, values.map { Int64(exactly: $0.rounded()) ?? 0 },
            shape: MinariSpace.isDiscrete(space) ? [rows] : [rows, width], storage: storage)
    }

    /// The text of a space of a few whole numbers, as the source has it.
    private func discreteSpace(_ text: String?, width: Int) -> String? {
        MinariSpace.discrete(in: text.flatMap(MinariSpace.object), at: "", width: width)
            .flatMap { _ in text }
    }

    /// The content of `metadata.json`.
    private func metadata(name: String, _ ranges: [ClosedRange<Float>]) throws -> Data {
        var entries: [String: Any] = [
            "dataset_id": name, "minari_version": Self.minariVersion, "data_format": "hdf5",
            "total_episodes": episodes, "total_steps": steps,
            "observation_space": discreteSpace(
                attributes["observation_space"], width: layout.observationDimension)
                ?? MinariSpace.inSinglePrecision(
                    attributes["observation_space"], size: layout.observationDimension)
                ?? MinariSpace.box(Array(repeating: nil, count: layout.observationDimension)),
            "action_space": actionSpace(ranges),
        ]
        let environment = description.environment ?? attributes["environment"]
        if let spec = attributes["env_spec"], description.environment == nil {
            entries["env_spec"] = spec
        } else if let environment {
            entries["env_spec"] = MinariDescription.environmentSpec(
                environment, maxEpisodeSteps: description.maxEpisodeSteps)
        }
        entries["algorithm_name"] =
            description.algorithm ?? attributes["algorithm_name"] ?? attributes["policy"]
        entries["author"] = (description.author ?? attributes["author"]).map { [$0] }
        entries["description"] = description.summary ?? attributes["description"]
        for name in ["observation_columns", DiscreteColumn.attribute] {
            if let text = attributes[name] { entries[name] = text }
        }
        return try JSONSerialization.data(
            withJSONObject: entries,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private func actionSpace(_ ranges: [ClosedRange<Float>]) -> String {
        let width = layout.actionDimension
        if let limits = description.actionLimits { return MinariSpace.box(limits) }
        if let space = discreteSpace(attributes["action_space"], width: width)
            ?? MinariSpace.inSinglePrecision(attributes["action_space"], size: width)
        {
            return space
        }
        let isUsual = ranges.allSatisfy { $0.lowerBound >= -1 && $0.upperBound <= 1 }
        return MinariSpace.box(isUsual ? Array(repeating: -1...1, count: width) : ranges)
    }
}
