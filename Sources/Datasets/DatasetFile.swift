public import Foundation
import HDF5
import PythonFiles
public import Trajectories

/// A dataset file whose episodes are read one after the other, for files larger than memory.
///
/// Memory holds a block of a few megabytes and the longest episode. ``TrajectoryDataset`` reads all
/// of them at once.
public struct DatasetFile: EpisodeStream, Sendable {
    /// The formats that can be read.
    public enum Format: String, Sendable, Hashable, CaseIterable, Codable {
        /// Five arrays over all steps (Fu et al. 2020).
        case d4rl
        /// A folder with a group for each episode (Farama Foundation's Minari).
        case minari
        /// An archive of NumPy's with D4RL's arrays.
        case npz
        /// An archive of NumPy's in OGBench's layout (Park et al. 2024).
        case ogbench
        /// An HDF5 file of d3rlpy's since version 2, with arrays for each episode.
        case d3rlpy
        /// An HDF5 file of robomimic's, with a group for each demonstration.
        case robomimic

        /// Those that can be written.
        public static let written: [Format] = [.d4rl, .minari, .npz]
    }

    /// Where the file lies, as given by the caller.
    public let url: URL
    /// How the file is laid out.
    public let format: Format
    private let source: any EpisodeSource

    /// Which column of a transition is which.
    public var layout: TransitionLayout { source.layout }
    /// Number of transitions.
    public var rowCount: Int { source.rowCount }
    /// Texts that the file carries about itself, such as the environment's name.
    public var attributes: [String: String] { source.attributes }
    /// What reading decided by itself, a line for a person each.
    public var notes: [String] { source.notes }

    /// Opens a file, or the folder of a Minari dataset, and checks names, shapes and types.
    ///
    /// The format is seen from the content: a folder, or an HDF5 file with a group `episode_0`, is
    /// Minari's; a zip archive is NumPy's, in OGBench's layout where it has no rewards; an HDF5 file
    /// with `num_episodes` is d3rlpy's, one with `data/demo_0` robomimic's; others are D4RL's.
    ///
    /// Without ``TrajectoryDataset/ReadingOptions/reader`` the file is read in this process, which
    /// a damaged one can crash or keep busy for ever.
    ///
    /// - Throws: ``DatasetError`` when the file is missing, damaged or empty, or a field is missing
    ///   or of the wrong type or shape.
    public init(
        _ url: URL, options: TrajectoryDataset.ReadingOptions = .init()
    ) throws(DatasetError) {
        self.url = url
        (format, source) = try DatasetError.mapped(url) {
            var own = options
            own.joined = []
            own.dropsNonFiniteEpisodes = false
            own.allowsNonFinite = options.allowsNonFinite || options.dropsNonFiniteEpisodes
            let opened = try ([url] + options.joined).map { url in
                try DatasetError.mapped(url) {
                    var (format, source) = try DatasetFile.start(url, own)
                    if options.dropsNonFiniteEpisodes {
                        source = try FiniteEpisodes(source, file: url.relativePath)
                    }
                    return (format: format, source: source)
                }
            }
            guard opened.count > 1 else { return opened[0] }
            return (
                opened[0].format,
                try JoinedEpisodes(
                    opened.map(\.source), files: ([url] + options.joined).map(\.relativePath))
            )
        }
    }

    /// Opens one file, by a reader where there is one.
    private static func start(
        _ url: URL, _ options: TrajectoryDataset.ReadingOptions
    ) throws -> (Format, any EpisodeSource) {
        let (place, note) = MinariPlace.find(url)
        var found: (format: Format, source: any EpisodeSource)
        if let reader = options.reader {
            let process = try ReaderProcess(place, options, reader: reader)
            found = (process.format, process)
        } else {
            found = try open(place, options)
        }
        if let note { found.source = NotedSource(found.source, note) }
        return found
    }

    /// Opens a file in this process.
    static func open(
        _ url: URL, _ options: TrajectoryDataset.ReadingOptions
    ) throws -> (Format, any EpisodeSource) {
        if let minari = try MinariFile.place(url) {
            return (.minari, try MinariFile(minari, options: options))
        }
        if ZipArchive.isArchive(at: url) {
            let table = NumPyTable(archive: try NumPyArchive(contentsOf: url))
            return OGBenchFile.matches(table)
                ? (.ogbench, try OGBenchFile(table, options: options))
                : (.npz, try D4RLFile(table, options: options))
        }
        let file = try HDF5File(reading: url, followsExternal: options.followsExternal)
        let root = file.root
        if root.contains("observations") { return (.d4rl, try D4RLFile(root, options: options)) }
        if root.containsGroup("episode_0") {
            return (.minari, try MinariFile(.init(data: url), options: options))
        }
        if EpisodesFile.isD3rlpy(root) {
            return (.d3rlpy, try EpisodesFile(d3rlpy: file, options: options))
        }
        if EpisodesFile.isRobomimic(root) {
            return (.robomimic, try EpisodesFile(robomimic: file, options: options))
        }
        return (.d4rl, try D4RLFile(root, options: options))
    }

    /// Hands on the episodes in the order of the file; none is empty.
    ///
    /// - Throws: ``DatasetError`` when data are damaged, of the wrong type, or not finite; whatever
    ///   `body` throws.
    public func forEachEpisode(_ body: (Trajectory) throws -> Void) throws {
        try walk(rewardsOnly: false) {
            try body(
                Trajectory(
                    layout: layout, observations: $0.observations, actions: $0.actions,
                    rewards: $0.rewards, ending: $0.ending))
        }
    }

    /// Hands on the rewards of each episode and how it ends; observations and actions are not read.
    ///
    /// - Throws: As ``forEachEpisode(_:)``.
    public func forEachEpisodeRewards(_ body: ([Float], Trajectory.Ending) throws -> Void) throws {
        try walk(rewardsOnly: true) { try body($0.rewards, $0.ending) }
    }

    private func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws {
        do {
            try source.walk(rewardsOnly: rewardsOnly, body)
        } catch let error as HDF5Error {
            throw DatasetError(error)
        } catch let error as PythonFileError {
            throw DatasetError(error)
        }
    }
}

extension DatasetError {
    /// Runs `body`, with every failure as a ``DatasetError`` about `url`.
    static func mapped<Result>(_ url: URL, _ body: () throws -> Result) throws(DatasetError)
        -> Result
    {
        do {
            return try body()
        } catch {
            throw mapping(error, url)
        }
    }

    /// Any failure as one about `url`.
    static func mapping(_ error: any Error, _ url: URL) -> DatasetError {
        switch error {
        case let error as HDF5Error: DatasetError(error)
        case let error as PythonFileError: DatasetError(error)
        case let error as DatasetError: error
        default: DatasetError(.unreadable, file: url.path, error.localizedDescription)
        }
    }
}
