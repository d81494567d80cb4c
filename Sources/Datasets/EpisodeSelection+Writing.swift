import Files
public import Foundation
import HDF5
import PythonFiles
import Trajectories

extension EpisodeSelection {
    /// Writes the episodes as a dataset of their own, whole or not at all.
    ///
    /// They are read once more for it, twice for an archive of NumPy's. Memory holds the longest
    /// episode and two bytes for each row; of HDF5's formats also the file that is made (HDF5 builds
    /// it in memory).
    ///
    /// - Parameters:
    ///   - url: Where the file or folder shall lie.
    ///   - format: One of ``DatasetFile/Format/written``.
    ///   - description: What a Minari dataset says about itself; of D4RL's files the environment.
    /// - Throws: ``DatasetError`` when it cannot be written, and errors of reading.
    public func write(
        to url: URL, format: DatasetFile.Format, description: MinariDescription = .init()
    ) throws {
        var attributes = file.attributes
        switch format {
        case .npz: try writeArchive(to: url)
        case .minari:
            try MinariWriter(
                layout: layout, attributes: attributes, description: description,
                steps: rowCount, episodes: episodeCount
            ).write(to: url) { try forEachEpisode($0) }
        case .d4rl:
            if let environment = description.environment { attributes["environment"] = environment }
            try writeD4RL(to: url, attributes)
        case .ogbench, .d3rlpy, .robomimic:
            throw DatasetError(
                .unwritable, file: url.relativePath,
                "the format \(format.rawValue) is read, not written")
        }
    }

    // MARK: - NumPy

    /// Writes the five arrays one after the other, each in a pass over the data.
    private func writeArchive(to url: URL) throws {
        do {
            let pending = try PendingFile(for: url)
            let archive = ZipWriter(pending)
            func add(
                _ name: String, _ type: String, _ shape: [Int], size: Int,
                _ body: () throws -> Void
            ) throws {
                let header = NumPyHeader.bytes(type: type, shape: shape)
                try archive.begin(
                    "\(name).npy", size: header.count + shape.reduce(1, *) * size)
                try archive.write(header)
                try body()
                try archive.end()
            }
            let (o, a) = (layout.observationDimension, layout.actionDimension)
            try add("observations", "<f4", [rowCount, o], size: 4) {
                try forEachEpisode { try archive.write($0.observations.littleEndianBytes) }
            }
            try add("actions", "<f4", [rowCount, a], size: 4) {
                try forEachEpisode { try archive.write($0.actions.littleEndianBytes) }
            }
            try add("rewards", "<f4", [rowCount], size: 4) {
                try forEachEpisodeRewards { rewards, _ in
                    try archive.write(rewards.littleEndianBytes)
                }
            }
            let flags = flags
            for (name, values) in [("terminals", flags.terminals), ("timeouts", flags.timeouts)] {
                try add(name, "|b1", [rowCount], size: 1) {
                    try archive.write(values.map { $0 ? 1 : 0 })
                }
            }
            try archive.finish()
            try pending.commit()
        } catch let error as FileError {
            throw DatasetError(.unwritable, file: url.relativePath, error.detail)
        }
    }

    // MARK: - D4RL

    private func writeD4RL(to url: URL, _ attributes: [String: String]) throws {
        let storage = HDF5Storage.chunked(gzipLevel: 4)
        var failure: (any Error)?
        do {
            try HDF5File.write(to: url) { root throws(HDF5Error) in
                let observations = try root.appender(
                    "observations", shape: [rowCount, layout.observationDimension],
                    storage: storage)
                let actions = try root.appender(
                    "actions", shape: [rowCount, layout.actionDimension], storage: storage)
                let rewards = try root.appender("rewards", shape: [rowCount], storage: storage)
                do {
                    try forEachEpisode {
                        try observations.append($0.observations)
                        try actions.append($0.actions)
                        try rewards.append($0.rewards)
                    }
                } catch {
                    // The library's own error stands in for it until it is out of the library.
                    failure = error
                    throw (error as? HDF5Error)
                        ?? HDF5Error(
                            code: .unwritable, file: url.path, key: nil, detail: "\(error)")
                }
                try observations.finish()
                try actions.finish()
                try rewards.finish()
                let flags = flags
                try root.write("terminals", flags.terminals, shape: [rowCount], storage: storage)
                try root.write("timeouts", flags.timeouts, shape: [rowCount], storage: storage)
                for (name, text) in attributes.sorted(by: { $0.key < $1.key }) {
                    try root.setAttribute(name, text)
                }
            }
        } catch {
            throw DatasetError.mapping(failure ?? error, url)
        }
    }
}

extension [Float] {
    /// The numbers as files hold them.
    fileprivate var littleEndianBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * count)
        for value in self {
            let bits = value.bitPattern
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        return bytes
    }
}
