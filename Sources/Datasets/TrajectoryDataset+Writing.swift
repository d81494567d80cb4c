public import Foundation
import HDF5
import Trajectories

extension TrajectoryDataset {
    /// Writes the episodes in the D4RL format, atomically.
    ///
    /// Numbers are single-precision, flags truth values as h5py writes them. The format cannot say
    /// that an episode breaks off unless it is the last: an unfinished one before it is written as
    /// cut by a time limit.
    ///
    /// - Parameters:
    ///   - url: Where the file shall lie; a file there is replaced.
    ///   - gzipLevel: How hard to compress, 1 to 9; nil writes plain arrays.
    /// - Throws: ``DatasetError`` when there are no transitions or the file cannot be written.
    public func write(to url: URL, gzipLevel: Int? = 4) throws(DatasetError) {
        let rows = rowCount
        guard rows > 0 else {
            throw DatasetError(
                .empty, file: url.path, "there are no transitions to write")
        }
        var terminals = [Bool](repeating: false, count: rows)
        var timeouts = terminals
        var row = -1
        for (index, trajectory) in trajectories.enumerated() {
            row += trajectory.count
            let isLast = index == trajectories.count - 1
            terminals[row] = trajectory.ending == .terminal
            timeouts[row] =
                trajectory.ending == .timeout || (trajectory.ending == .unfinished && !isLast)
        }
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
                for (name, text) in attributes.sorted(by: { $0.key < $1.key }) {
                    try root.setAttribute(name, text)
                }
            }
        } catch {
            throw DatasetError(error)
        }
    }
}
