import Files
public import Foundation
import PythonFiles
import Tokenization
import TorchCheckpoints
import Trajectories
import Transformer

/// Writes a checkpoint as the authors' code loads it.
public struct TorchExportJob: Sendable {
    /// What was written.
    public struct Result: Sendable, Codable {
        /// The checkpoint and the folder.
        public var checkpoint, output: String
        /// Names of the files in it.
        public var files: [String]
        /// How many parameters the model has.
        public var parameters: Int
        /// What the authors' code will do otherwise, a line each.
        public var notes: [String]
    }

    /// The folder of a run, or its `checkpoint.json`.
    public var checkpoint: URL
    /// The folder to write.
    public var output: URL
    /// D4RL's name of the data, from which the authors' code fits its bins; without one the folder
    /// has no `data_config.pkl`.
    public var datasetName: String?
    /// The number in the state's name; the checkpoint's step if nil.
    public var epoch: Int?

    /// A job; see the properties.
    public init(checkpoint: URL, output: URL) {
        self.checkpoint = checkpoint
        self.output = output
    }

    /// Writes the folder, whole or not at all.
    ///
    /// - Parameter note: Told what the authors' code will do otherwise.
    /// - Returns: What was written.
    /// - Throws: ``JobError``, `PythonFileError`, and errors of reading the checkpoint.
    public func run(note: (String) -> Void = { _ in }) throws -> Result {
        do {
            try PendingFolder.check(output)
        } catch {
            throw JobError(.unwritable, "\(error)")
        }
        let source = try Checkpoint(at: checkpoint)
        let epoch = epoch ?? source.description.step
        let export = try TorchExport(source, epoch: epoch, file: checkpoint.given)
        var notes = [source.passedOver].compactMap(\.self)
        if datasetName == nil {
            notes.append(
                "without a dataset's name there is no data_config.pkl, which the authors' planning "
                    + "asks for")
        }
        if source.discretizer.strategy == .uniform {
            notes.append(
                "its bins are of equal width; the authors' code will fit quantile bins, which are "
                    + "others")
        } else {
            notes.append(
                "the authors' code fits its bins anew from D4RL's data: plans agree where the model "
                    + "was trained on the same rows")
        }
        notes.forEach(note)
        let folder = try PendingFolder(for: output)
        try export.write(to: folder.partial, dataset: datasetName)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.partial.path)
        try folder.commit()
        return Result(
            checkpoint: checkpoint.given, output: output.given, files: names.sorted(),
            parameters: source.model.parameterCount, notes: notes)
    }
}
