import Foundation
import HDF5

/// What a Minari dataset says about itself: `metadata.json`, or the attributes of the file's root.
struct MinariMetadata {
    /// The entries that are texts, or lists of texts, which are joined.
    private(set) var texts: [String: String] = [:]
    /// Number of episodes, if the dataset says so.
    private(set) var episodeCount: Int?

    /// Entries that hold for the files alone, not for the data.
    private static let ofFiles: Set<String> = [
        "data_format", "minari_version", "total_episodes", "total_steps", "dataset_size",
        "jpeg_encoding",
    ]

    /// Reads `metadata.json`, or the root's attributes where there is none.
    init(_ place: MinariFile.Place, _ root: HDF5Group? = nil) throws {
        guard FileManager.default.fileExists(atPath: place.metadata.path) else {
            texts = try root?.stringAttributes() ?? [:]
            episodeCount = root?.integerAttribute("total_episodes")
            return
        }
        let data = try Data(contentsOf: place.metadata)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw DatasetError(
                .unreadable, file: place.metadata.path,
                "it is no JSON object; fetch or write the dataset again")
        }
        episodeCount = (object["total_episodes"] as? NSNumber)?.intValue
        for (name, value) in object {
            switch value {
            case let text as String: texts[name] = text
            case let list as [String]: texts[name] = list.sorted().joined(separator: ", ")
            default: break
            }
        }
    }

    /// What the data carry on: the texts about them, and the environment's name.
    var attributes: [String: String] {
        var result = texts.filter { !MinariMetadata.ofFiles.contains($0.key) }
        let spec = texts["env_spec"].flatMap { MinariSpace.object($0) as? [String: Any] }
        if let name = spec?["id"] as? String { result["environment"] = name }
        return result
    }

    /// Refuses a space that has parts whose numbers are no quantities.
    func requireBoxes(_ name: String, file: String) throws {
        guard let text = texts[name], let space = MinariSpace.object(text),
            let kind = MinariSpace.foreignKind(in: space)
        else { return }
        throw DatasetError(
            .wrongType, file: file, field: name,
            "it is or holds a \(kind) space; only Box spaces, and Dict and Tuple of them, can be "
                + "read")
    }
}

/// Gymnasium's spaces, as Minari writes them down.
enum MinariSpace {
    /// The JSON in `text`, whose infinities, which JSON does not know, are null.
    static func object(_ text: String) -> Any? {
        var text = text
        for word in ["-Infinity", "Infinity", "NaN"] {
            text = text.replacingOccurrences(of: word, with: "null")
        }
        return try? JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    /// The kind of the first space that is not a box, nor a dictionary or tuple of boxes.
    static func foreignKind(in space: Any) -> String? {
        guard let space = space as? [String: Any], let type = space["type"] as? String else {
            return nil
        }
        switch type {
        case "Box": return nil
        case "Dict":
            let parts = space["subspaces"] as? [String: Any] ?? [:]
            return parts.sorted { $0.key < $1.key }.lazy.compactMap { foreignKind(in: $0.value) }
                .first
        case "Tuple":
            return (space["subspaces"] as? [Any] ?? []).lazy.compactMap(foreignKind).first
        default: return type
        }
    }

    /// Whether `text` is a box of one dimension with `size` numbers.
    static func isBox(_ text: String, size: Int) -> Bool {
        guard let space = object(text) as? [String: Any] else { return false }
        return space["type"] as? String == "Box" && space["shape"] as? [Int] == [size]
    }

    /// A box of single-precision numbers; a limit of nil is infinite.
    static func box(_ limits: [ClosedRange<Float>?]) -> String {
        func list(_ values: [Float?], _ infinity: String) -> String {
            values.map { $0.map { "\($0)" } ?? infinity }.joined(separator: ", ")
        }
        return """
            {"type": "Box", "dtype": "float32", "shape": [\(limits.count)], \
            "low": [\(list(limits.map { $0?.lowerBound }, "-Infinity"))], \
            "high": [\(list(limits.map { $0?.upperBound }, "Infinity"))]}
            """
    }
}
