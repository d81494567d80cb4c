import Files
public import Safetensors
import Tokenization

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Checkpoint {
    /// Writes the checkpoint into `directory`, which is created if need be; the one that was the
    /// newest until then is kept, those before it are removed.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - optimizer: The optimizer's state, to resume training from.
    /// - Throws: ``CheckpointError`` or `SafetensorsError` when the folder cannot be written.
    public func write(to directory: URL, optimizer: SafetensorsFile? = nil) throws {
        var description = description
        description.weights = "weights-\(description.step).safetensors"
        description.optimizer = optimizer.map { _ in "optimizer-\(description.step).safetensors" }

        let newest = directory.appendingPathComponent(Checkpoint.fileName)
        let present = try? Checkpoint.description(newest)
        do {
            description.checksums = [
                description.weights: try tensors.write(
                    to: directory.appendingPathComponent(description.weights), followsLinks: false)
            ]
            if let optimizer, let name = description.optimizer {
                description.checksums?[name] = try optimizer.write(
                    to: directory.appendingPathComponent(name), followsLinks: false)
            }
            if let present, present.step != description.step,
                let data = try? Data(contentsOf: newest)
            {
                try Checkpoint.write(
                    data, to: directory.appendingPathComponent(Checkpoint.previousName))
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try Checkpoint.write(try Seal.json(description, using: encoder), to: newest)
        } catch {
            // Half a checkpoint only takes the space that the next one needs.
            Checkpoint.removeOthers(in: directory)
            throw error
        }
        Checkpoint.removeOthers(in: directory)
    }

    private var tensors: SafetensorsFile {
        var weights = model.tensors()
        weights.set(
            Checkpoint.edgesName, discretizer.edges,
            shape: [discretizer.binCount + 1, discretizer.dimension])
        if let bins = conditions?.discretizer {
            weights.set(
                Checkpoint.conditionEdgesName, bins.edges,
                shape: [bins.binCount + 1, bins.dimension])
        }
        weights.metadata["format"] = "trajectory-transformer 1"
        return weights
    }

    /// Writes a JSON file; a link of its name is not followed.
    static func write(_ data: Data, to url: URL) throws(CheckpointError) {
        do {
            try OutputFile.write(data, to: url, followsLinks: false)
        } catch {
            throw CheckpointError(code: .unwritable, file: url.path, detail: error.detail)
        }
    }

    /// Removes the tensor files that neither JSON file names, and what killed runs left.
    private static func removeOthers(in directory: URL) {
        let kept = [fileName, previousName].compactMap {
            try? description(directory.appendingPathComponent($0))
        }.flatMap { [$0.weights, $0.optimizer] }
        // One that cannot be read may name any of them.
        guard !kept.isEmpty else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where name.hasSuffix(".safetensors") && !kept.contains(name) {
            guard name.hasPrefix("weights-") || name.hasPrefix("optimizer-") else { continue }
            try? FileManager.default.removeItem(at: directory.appendingPathComponent(name))
        }
        OutputFile.removeLeftovers(in: directory)
    }
}
