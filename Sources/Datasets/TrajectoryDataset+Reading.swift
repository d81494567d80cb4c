public import Foundation
import HDF5
import Trajectories

extension TrajectoryDataset {
    /// How a file is read.
    public struct ReadingOptions: Sendable, Hashable {
        /// Whether the last row of the file is left out.
        ///
        /// The authors' code does so, since it has no next observation, which that code goes on not
        /// to use. Off by default: the row is as good as the others, and what was written is read
        /// back whole.
        public var dropsLastRow = false
        /// The number of steps after which the time limit cut an episode; used where the file has no
        /// `timeouts` (1000 for D4RL's older locomotion files).
        public var maxEpisodeLength: Int?
        /// Whether NaN and infinite numbers are let through, to be looked at, instead of refused.
        public var allowsNonFinite = false

        /// All rows, all finite, episodes cut where the file says.
        public init() {}

        /// What the authors' code does, to reproduce their results.
        public static let authors = {
            var options = ReadingOptions()
            options.dropsLastRow = true
            return options
        }()
    }

    /// Reads a file, whatever else it holds beside the five arrays.
    ///
    /// Numbers may be of any floating or integer type; flags truth values, or numbers 0 and 1. Where
    /// `terminals` and `timeouts` are both set the episode counts as terminal. The last episode is
    /// kept if neither ends it, as ``Trajectories/Trajectory/Ending/unfinished``.
    ///
    /// - Throws: ``DatasetError`` when the file is missing, damaged or empty, a field is missing or
    ///   of the wrong type or shape, or a number is not finite.
    public init(contentsOf url: URL, options: ReadingOptions = ReadingOptions())
        throws(DatasetError)
    {
        let fields: DatasetFields
        do {
            fields = try DatasetFields(
                HDF5File(reading: url), allowsNonFinite: options.allowsNonFinite)
        } catch let error as HDF5Error {
            throw DatasetError(error)
        } catch let error as DatasetError {
            throw error
        } catch {
            throw DatasetError(.unreadable, file: url.path, error.localizedDescription)
        }
        let rows = fields.rewards.count - (options.dropsLastRow ? 1 : 0)
        guard rows > 0 else {
            throw DatasetError(
                .empty, file: url.path,
                "there are no transitions\(fields.rewards.isEmpty ? "" : " but the last, left out")"
            )
        }
        if fields.timeouts == nil, options.maxEpisodeLength == nil {
            throw DatasetError(
                .missingField, file: url.path, field: "timeouts",
                "there is no such field; give the maximum episode length (1000 in D4RL's older "
                    + "files)")
        }
        self.init(
            layout: fields.layout,
            trajectories: fields.episodes(rows: rows, maxLength: options.maxEpisodeLength),
            attributes: fields.attributes)
    }
}
