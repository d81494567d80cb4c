public import Datasets
public import Foundation
import RandomNumbers
import Trajectories

/// Divides the episodes of a dataset between two others.
public struct SplitJob: Sendable {
    /// What was written.
    public struct Result: Sendable, Codable {
        /// The larger part, and the one that was held out.
        public var rest, heldOut: ConversionJob.Result
    }

    /// The dataset.
    public var input: URL
    /// Where the rest of the episodes goes.
    public var output: URL
    /// Where the episodes that are held out go.
    public var heldOut: URL
    /// The share of the episodes that is held out.
    public var fraction = 0.1
    /// Fixes which they are.
    public var seed: UInt64 = 0
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(_ input: URL, output: URL, heldOut: URL) {
        (self.input, self.output, self.heldOut) = (input, output, heldOut)
    }

    /// Splits; `note` is told what reading left out or made up.
    ///
    /// Both parts are whole or not there; of a failure in the second the first is left.
    ///
    /// - Throws: ``JobError``, and `DatasetError`.
    public func run(note: (String) -> Void = { _ in }) throws -> Result {
        guard fraction > 0, fraction < 1 else {
            throw JobError(
                .invalidSetting, "the fraction must lie between 0 and 1, found \(fraction)")
        }
        guard output.standardizedFileURL != heldOut.standardizedFileURL else {
            throw JobError(.invalidSetting, "both parts would be written to '\(output.given)'")
        }
        let formats = (
            DatasetFile.Format.forOutput(output), DatasetFile.Format.forOutput(heldOut)
        )
        try output.requirePlace(for: formats.0)
        try heldOut.requirePlace(for: formats.1)
        let file = try DatasetFile(input, options: reading)
        file.notes.forEach(note)
        var generator = SplitMix64(seed: seed)
        let (rest, held) = try EpisodeSelection.split(file, fraction: fraction) { count in
            Int.random(in: 0..<count, using: &generator)
        }
        let job = ConversionJob(from: input, to: output)
        return Result(
            rest: try job.write(rest, to: output, formats.0),
            heldOut: try job.write(held, to: heldOut, formats.1))
    }
}
