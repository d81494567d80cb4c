public import Datasets
import Files
public import Foundation
import Trajectories

/// Converts a dataset between D4RL-format HDF5 files and Minari folders.
public struct ConversionJob: Sendable {
    /// What was converted.
    public struct Result: Sendable, Codable {
        /// The dataset that was read, and the one that was written.
        public var input, output: String
        /// The format that was written.
        public var format: DatasetFile.Format
        /// How much it holds.
        public var transitions, episodes, observationDimension, actionDimension: Int
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
        let isFile = ["hdf5", "h5"].contains(output.pathExtension.lowercased())
        let format = format ?? (isFile ? .d4rl : .minari)
        // Known before the work as well as after it.
        switch format {
        case .d4rl: try output.requireWritable()
        case .minari:
            do {
                try PendingFolder.check(output)
            } catch {
                throw JobError(.unwritable, "\(error)")
            }
        }
        var dataset = try TrajectoryDataset(contentsOf: input, options: reading)
        dataset.notes.forEach(note)
        switch format {
        case .d4rl:
            if let environment = description.environment {
                dataset.attributes["environment"] = environment
            }
            try dataset.write(to: output)
        case .minari:
            var description = description
            if let actionLimits {
                description.actionLimits = Array(
                    repeating: actionLimits, count: dataset.layout.actionDimension)
            }
            try dataset.writeMinari(to: output, description: description)
        }
        return Result(
            input: input.given, output: output.given, format: format,
            transitions: dataset.rowCount, episodes: dataset.trajectories.count,
            observationDimension: dataset.layout.observationDimension,
            actionDimension: dataset.layout.actionDimension, notes: dataset.notes)
    }
}
