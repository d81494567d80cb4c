import Files
public import Foundation
import HDF5
import Trajectories

extension TrajectoryDataset {
    /// The version of Minari whose layout is written; later ones read it.
    private static let minariVersion = "0.5.0"

    /// Writes the episodes as a Minari dataset (version 0.5), a folder, atomically.
    ///
    /// Numbers are single-precision. Minari also keeps the observation after an episode's last
    /// step, which a ``Trajectory`` does not have: the last observation is repeated in its place.
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
        func refuse(_ code: DatasetError.Code, _ detail: String) -> DatasetError {
            DatasetError(code, file: url.path, detail)
        }
        guard rowCount > 0 else { throw refuse(.empty, "there are no transitions to write") }
        try requireFinite(file: url.path)
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
            try writeMinariEpisodes(
                to: data.appendingPathComponent(MinariFile.dataName), gzipLevel: gzipLevel)
            try OutputFile.write(
                metadata(name: name, description), to: data.appendingPathComponent("metadata.json"))
            try folder.commit()
        } catch let error as HDF5Error {
            throw DatasetError(.unwritable, file: url.path, field: error.key, error.detail)
        } catch let error as FileError {
            throw refuse(.unwritable, error.detail)
        } catch {
            throw refuse(.unwritable, error.localizedDescription)
        }
    }

    private func writeMinariEpisodes(to url: URL, gzipLevel: Int?) throws(HDF5Error) {
        let storage = gzipLevel.map { HDF5Storage.chunked(gzipLevel: $0) } ?? .contiguous
        try HDF5File.write(to: url) { root throws(HDF5Error) in
            for (index, trajectory) in trajectories.enumerated() {
                let steps = trajectory.count
                let group = try root.createGroup("episode_\(index)")
                try group.setAttribute("id", index)
                try group.setAttribute("total_steps", steps)
                try group.write(
                    "observations",
                    trajectory.observations + trajectory.observation(steps - 1),
                    shape: [steps + 1, layout.observationDimension], storage: storage)
                try group.write(
                    "actions", trajectory.actions, shape: [steps, layout.actionDimension],
                    storage: storage)
                try group.write("rewards", trajectory.rewards, shape: [steps], storage: storage)
                for (name, ending) in [
                    ("terminations", Trajectory.Ending.terminal), ("truncations", .timeout),
                ] {
                    var flags = [Bool](repeating: false, count: steps)
                    flags[steps - 1] = trajectory.ending == ending
                    try group.write(name, flags, shape: [steps], storage: storage)
                }
            }
        }
    }

    /// The content of `metadata.json`.
    private func metadata(name: String, _ description: MinariDescription) throws -> Data {
        var entries: [String: Any] = [
            "dataset_id": name, "minari_version": Self.minariVersion, "data_format": "hdf5",
            "total_episodes": trajectories.count, "total_steps": rowCount,
            "observation_space": MinariSpace.inSinglePrecision(
                attributes["observation_space"], size: layout.observationDimension)
                ?? MinariSpace.box(Array(repeating: nil, count: layout.observationDimension)),
            "action_space": actionSpace(description),
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
        if let columns = attributes["observation_columns"] {
            entries["observation_columns"] = columns
        }
        return try JSONSerialization.data(
            withJSONObject: entries,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private func actionSpace(_ description: MinariDescription) -> String {
        let width = layout.actionDimension
        if let limits = description.actionLimits { return MinariSpace.box(limits) }
        if let space = MinariSpace.inSinglePrecision(attributes["action_space"], size: width) {
            return space
        }
        var limits = [ClosedRange<Float>](repeating: -1...1, count: width)
        let extremes = trajectories.reduce(into: (low: Float(-1), high: Float(1))) {
            $0.low = min($0.low, $1.actions.min() ?? 0)
            $0.high = max($0.high, $1.actions.max() ?? 0)
        }
        if extremes.low < -1 || extremes.high > 1 {
            for column in 0..<width {
                let values = trajectories.flatMap { trajectory in
                    stride(from: column, to: trajectory.actions.count, by: width).lazy.map {
                        trajectory.actions[$0]
                    }
                }
                limits[column] = (values.min() ?? -1)...(values.max() ?? 1)
            }
        }
        return MinariSpace.box(limits)
    }
}
