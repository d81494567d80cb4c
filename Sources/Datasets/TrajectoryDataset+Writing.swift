public import Foundation
import HDF5
import Trajectories

extension TrajectoryDataset {
    /// Writes the episodes in the D4RL format, atomically.
    ///
    /// Beside the arrays that are read go those of D4RL's second version which are known of every
    /// row: `next_observations`, `Trajectory.infos` under `infos`, and ``metadata``
    /// under `metadata`.
    ///
    /// Numbers are single-precision, flags truth values as h5py writes them. The format cannot say
    /// that an episode breaks off unless it is the last: an unfinished one before it is written as
    /// cut by a time limit.
    ///
    /// - Parameters:
    ///   - url: Where the file shall lie; a file there is replaced.
    ///   - gzipLevel: How hard to compress, 1 to 9; nil writes plain arrays.
    /// - Throws: ``DatasetError`` when there are no transitions, a number is not finite, or the file
    ///   cannot be written.
    public func write(to url: URL, gzipLevel: Int? = 4) throws(DatasetError) {
        let rows = rowCount
        guard rows > 0 else {
            throw DatasetError(
                .empty, file: url.path, "there are no transitions to write")
        }
        try requireFinite(file: url.path)
        let (terminals, timeouts) = EndFields.flags(of: trajectories.map { ($0.count, $0.ending) })
        let storage = gzipLevel.map { HDF5Storage.chunked(gzipLevel: $0) } ?? .contiguous
        do {
            try HDF5File.write(to: url) { root throws(HDF5Error) in
                try root.write(
                    "observations", trajectories.flatMap(\.observations),
                    shape: [rows, layout.observationDimension], storage: storage)
                try root.write(
                    "actions", trajectories.flatMap(\.actions),
                    shape: [rows, layout.actionDimension], storage: storage)
                try root.write(
                    "rewards", trajectories.flatMap(\.rewards), shape: [rows], storage: storage)
                try root.write("terminals", terminals, shape: [rows], storage: storage)
                try root.write("timeouts", timeouts, shape: [rows], storage: storage)
                try writeInfos(to: root, storage)
                try writeMetadata(to: root)
                for (name, text) in attributes.sorted(by: { $0.key < $1.key }) {
                    try root.setAttribute(name, text)
                }
            }
        } catch {
            throw DatasetError(error)
        }
    }

    /// What is known of every row, so that an array has as many rows as there are transitions.
    private func writeInfos(to root: HDF5Group, _ storage: HDF5Storage) throws(HDF5Error) {
        if trajectories.allSatisfy({ $0.finalObservation != nil }) {
            try root.write(
                "next_observations", trajectories.flatMap(\.nextObservations),
                shape: [rowCount, layout.observationDimension], storage: storage)
        }
        let columns = (trajectories.first?.infos ?? [:]).sorted { $0.key < $1.key }
            .filter { name, column in
                trajectories.allSatisfy { $0.infos[name]?.width == column.width }
            }
        guard !columns.isEmpty else { return }
        let group = try root.createGroup("infos")
        for (name, column) in columns {
            try group.write(
                name, trajectories.flatMap { $0.infos[name]?.values ?? [] },
                shape: column.width == 1 ? [rowCount] : [rowCount, column.width],
                storage: storage)
        }
    }

    private func writeMetadata(to root: HDF5Group) throws(HDF5Error) {
        guard !metadata.isEmpty else { return }
        var groups = ["metadata": try root.createGroup("metadata")]
        for (path, entry) in metadata.sorted(by: { $0.key < $1.key }) {
            // Groups on the way, from the outermost on.
            let names = ["metadata"] + path.split(separator: "/").map(String.init)
            for depth in names.indices.dropFirst().dropLast() {
                let (above, own) = (
                    names[..<depth].joined(separator: "/"),
                    names[...depth].joined(separator: "/")
                )
                if groups[own] == nil { groups[own] = try groups[above]?.createGroup(names[depth]) }
            }
            let group = groups[names.dropLast().joined(separator: "/")] ?? root
            let name = names[names.count - 1]
            switch entry {
            case .text(let text): try group.write(name, text: text)
            case .integer(let value): try group.write(name, [Int64(value)], shape: [])
            case .numbers(let values, let shape): try group.write(name, values, shape: shape)
            }
        }
    }
}

extension Trajectory {
    /// The observation after each row, of which the last is ``finalObservation``.
    fileprivate var nextObservations: [Float] {
        observations.dropFirst(layout.observationDimension) + (finalObservation ?? [])
    }
}

extension TrajectoryDataset {
    /// Refuses numbers that no reader would take.
    func requireFinite(file: String) throws(DatasetError) {
        for (index, trajectory) in trajectories.enumerated() {
            for (name, values, width) in [
                ("observations", trajectory.observations, layout.observationDimension),
                ("actions", trajectory.actions, layout.actionDimension),
                ("rewards", trajectory.rewards, 1),
            ] {
                guard let place = values.firstIndex(where: { !$0.isFinite }) else { continue }
                throw DatasetError(
                    .notFinite, file: file, field: name,
                    "step \(place / width) of episode \(index) has \(values[place]) in column "
                        + "\(place % width); look into what acts or is acted in")
            }
        }
    }
}
