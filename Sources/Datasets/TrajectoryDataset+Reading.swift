import Bounds
public import Foundation
import Trajectories

extension TrajectoryDataset {
    /// How a file is read.
    public struct ReadingOptions: Sendable, Hashable, Codable {
        /// Whether the last row of the file is left out.
        ///
        /// The authors' code does so, since it has no next observation, which that code goes on not
        /// to use. Off by default: the row is as good as the others, and what was written is read
        /// back whole. Not for Minari datasets.
        public var dropsLastRow = false
        /// The number of steps after which the time limit cut an episode.
        ///
        /// 1000 in D4RL's older locomotion files, which have no `timeouts`. Beside ends that a file
        /// marks, it makes more.
        public var maxEpisodeLength: Int?
        /// Whether episodes end at terminal states alone, in a file that has no `timeouts` or the
        /// like.
        public var hasNoTimeLimit = false
        /// How many observation dimensions to keep, from the first on; nil keeps all, except that
        /// of the 111 of Ant the first 27 are kept, as the authors do.
        public var observationDimensions: Int?
        /// Which entries of dictionary observations are joined, in this order; of Minari datasets
        /// only.
        ///
        /// By their path, such as `observation` or `desired_goal`. Nil joins all, `observation`
        /// first.
        public var observationKeys: [String]?
        /// Whether NaN and infinite numbers are let through, to be looked at, instead of refused.
        public var allowsNonFinite = false
        /// Whether episodes with NaN or infinite numbers are left out instead of refused.
        public var dropsNonFiniteEpisodes = false
        /// Further datasets, whose episodes follow those of the first; all have the same dimensions.
        public var joined: [URL] = []
        /// Whether a file's data may lie in other files, which a file can name as it likes.
        public var followsExternal = false
        /// The program that reads instead of this one; nil reads in this process, which a damaged
        /// file can crash or keep busy for ever.
        public var reader: DatasetReader?

        /// Whether nothing was chosen but who reads.
        public var areDefault: Bool {
            var options = self
            options.reader = nil
            return options == ReadingOptions()
        }

        /// All rows, all finite, episodes cut where the file says.
        public init() {}

        /// What the authors' code does, to reproduce their results.
        public static let authors = {
            var options = ReadingOptions()
            options.dropsLastRow = true
            return options
        }()
    }

    /// Reads a dataset of any format; ``DatasetFile`` tells them apart.
    ///
    /// Numbers may be of any floating or integer type; flags truth values, or numbers 0 and 1.
    /// Where a row is both terminal and timeout the episode counts as terminal. An episode that
    /// neither ends is kept as `Trajectory.Ending.unfinished` (in D4RL's format only
    /// the last can be). What else a file holds is left alone.
    ///
    /// - Throws: ``DatasetError`` when the file is missing, damaged or empty, a field is missing or
    ///   of the wrong type or shape, or a number is not finite.
    public init(contentsOf url: URL, options: ReadingOptions = ReadingOptions())
        throws(DatasetError)
    {
        let file = try DatasetFile(url, options: options)
        var need = MemoryNeed("reading it whole, \(file.rowCount) transitions,")
        need.add(file.rowCount, file.layout.transitionDimension)
        do {
            try need.require()
        } catch {
            throw DatasetError(.tooLarge, file: url.path, error.description)
        }
        var trajectories: [Trajectory] = []
        try DatasetError.mapped(url) { try file.forEachEpisode { trajectories.append($0) } }
        self.init(
            layout: file.layout, trajectories: trajectories, attributes: file.attributes,
            notes: file.notes)
    }
}
