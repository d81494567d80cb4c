public import Datasets
import Files
public import Foundation
import Trajectories

/// Writes a dataset, or a part of it, in another format or place.
///
/// Episodes go through one after the other: memory holds the longest, and of HDF5's formats the
/// file that is made.
public struct ConversionJob: Sendable {
    /// What was converted.
    public struct Result: Sendable, Codable {
        /// The dataset that was read, and the one that was written.
        public var input, output: String
        /// The format that was written.
        public var format: DatasetFile.Format
        /// How much it holds.
        public var transitions, episodes, observationDimension, actionDimension: Int
        /// Smallest, mean and largest return.
        public var returns: DatasetSummary.Spread
        /// What reading left out or made up.
        public var notes: [String]
    }

    /// The dataset.
    public var input: URL
    /// The file or folder to write.
    public var output: URL
    /// The format to write; by the output's extension if nil.
    public var format: DatasetFile.Format?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Which episodes are written.
    public var filter = EpisodeFilter()
    /// What a Minari dataset says about itself where the source does not know.
    public var description = MinariDescription()
    /// Limits of every action dimension, in place of those of ``description``.
    public var actionLimits: ClosedRange<Float>?

    /// A job; see the properties.
    public init(from input: URL, to output: URL) {
        self.input = input
        self.output = output
    }

    /// Converts; `note` is told what reading left out or made up.
    ///
    /// - Throws: ``JobError``, and `DatasetError`.
    public func run(note: (String) -> Void = { _ in }) throws -> Result {
        let format = format ?? .forOutput(output)
        // Known before the work as well as after it.
        try output.requirePlace(for: format)
        let file = try DatasetFile(input, options: reading)
        file.notes.forEach(note)
        return try write(EpisodeSelection(file, filter: filter), to: output, format)
    }

    func write(
        _ selection: EpisodeSelection, to output: URL, _ format: DatasetFile.Format
    ) throws -> Result {
        var description = description
        if let actionLimits {
            description.actionLimits = Array(
                repeating: actionLimits, count: selection.layout.actionDimension)
        }
        try selection.write(to: output, format: format, description: description)
        return Result(
            input: input.given, output: output.given, format: format,
            transitions: selection.rowCount, episodes: selection.episodeCount,
            observationDimension: selection.layout.observationDimension,
            actionDimension: selection.layout.actionDimension, returns: selection.returns,
            notes: selection.file.notes)
    }
}

extension DatasetFile.Format {
    /// The format that an output's name asks for: NumPy's for `.npz`, D4RL's for `.hdf5` and `.h5`,
    /// Minari's for anything else, a folder.
    public static func forOutput(_ output: URL) -> DatasetFile.Format {
        switch output.pathExtension.lowercased() {
        case "hdf5", "h5": .d4rl
        case "npz": .npz
        default: .minari
        }
    }
}

extension URL {
    /// Makes sure that a dataset of this format can be written here.
    func requirePlace(for format: DatasetFile.Format) throws(JobError) {
        guard DatasetFile.Format.written.contains(format) else {
            throw JobError(
                .invalidSetting,
                "the format \(format.rawValue) is read, not written; choose one of "
                    + DatasetFile.Format.written.map(\.rawValue).joined(separator: ", "))
        }
        guard format == .minari else { return try requireWritable() }
        do {
            try PendingFolder.check(self)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
    }
}
