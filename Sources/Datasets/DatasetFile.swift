public import Foundation
import HDF5
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
    /// The format is seen from the content: a folder, or a file that has episodes rather than
    /// `observations` at its root, is Minari's.
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
            guard let reader = options.reader else { return try DatasetFile.open(url, options) }
            let process = try ReaderProcess(url, options, reader: reader)
            return (process.format, process)
        }
    }

    /// Opens a file in this process.
    static func open(
        _ url: URL, _ options: TrajectoryDataset.ReadingOptions
    ) throws -> (Format, any EpisodeSource) {
        if let minari = try MinariFile.place(url) {
            return (.minari, try MinariFile(minari, options: options))
        }
        let file = try HDF5File(reading: url, followsExternal: options.followsExternal)
        if !file.root.contains("observations"), file.root.containsGroup("episode_0") {
            return (.minari, try MinariFile(.init(data: url), options: options))
        }
        return (.d4rl, try D4RLFile(file, options: options))
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
        case let error as DatasetError: error
        default: DatasetError(.unreadable, file: url.path, error.localizedDescription)
        }
    }
}
