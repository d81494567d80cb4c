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

    /// The returns that Minari's normalized scores are measured by.
    private static let references: Set<String> = ["ref_min_score", "ref_max_score"]

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
            case let number as NSNumber where MinariMetadata.references.contains(name):
                texts[name] = "\(number.doubleValue)"
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

    /// Refuses a space that has parts whose numbers are no quantities; with `keys`, of the parts
    /// that these name.
    func requireBoxes(_ name: String, file: String, keys: [String]? = nil) throws {
        guard let text = texts[name], let space = MinariSpace.object(text),
            let (kind, path) = MinariSpace.foreign(in: space, at: "", keys: keys)
        else { return }
        let place = path.isEmpty ? "it is" : "'\(path)' in it is"
        let isPart = !path.isEmpty && name == "observation_space"
        throw DatasetError(
            .wrongType, file: file, field: name,
            "\(place) a \(kind) space; only Box, Discrete, MultiDiscrete and MultiBinary spaces, and "
                + "Dict and Tuple of them, can be read"
                + (isPart ? "; choose others by naming observation keys" : ""))
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

    /// The kind and path of the first space that holds no numbers, nor others that do; where there
    /// are `keys`, among those that they name.
    static func foreign(in space: Any, at path: String, keys: [String]?) -> (
        kind: String, path: String
    )? {
        guard let space = space as? [String: Any], let type = space["type"] as? String else {
            return nil
        }
        func part(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }
        switch type {
        case "Box", "Discrete", "MultiDiscrete", "MultiBinary": return nil
        case "Dict":
            let parts = space["subspaces"] as? [String: Any] ?? [:]
            return parts.sorted { $0.key < $1.key }.lazy
                .compactMap { foreign(in: $0.value, at: part($0.key), keys: keys) }.first
        case "Tuple":
            return (space["subspaces"] as? [Any] ?? []).enumerated().lazy
                .compactMap { foreign(in: $1, at: part("_index_\($0)"), keys: keys) }.first
        default: return keys?.contains(path) ?? true ? (type, path) : nil
        }
    }

    /// The values of each number of the space at `path` in `space`, where these are a few whole
    /// numbers: the smallest, and how many; nil of any other space.
    static func discrete(
        in space: Any?, at path: Substring, width: Int
    ) -> [(start: Int, count: Int)]? {
        guard let space = space as? [String: Any] else { return nil }
        if !path.isEmpty {
            let name = path.prefix { $0 != "/" }
            let rest = path.dropFirst(name.count).drop { $0 == "/" }
            let parts = space["subspaces"] as? [Any]
            let index = name.hasPrefix("_index_") ? Int(name.dropFirst("_index_".count)) : nil
            let part = index.flatMap { index in
                parts.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
            return discrete(
                in: part ?? (space["subspaces"] as? [String: Any])?[String(name)], at: rest,
                width: width)
        }
        func numbers(_ value: Any?) -> [Int] {
            (value as? [Any])?.flatMap(numbers) ?? (value as? NSNumber).map { [$0.intValue] } ?? []
        }
        let counts: [Int]
        switch space["type"] as? String {
        case "Discrete": counts = numbers(space["n"])
        case "MultiDiscrete": counts = numbers(space["nvec"])
        case "MultiBinary": counts = [Int](repeating: 2, count: width)
        default: return nil
        }
        let starts = numbers(space["start"])
        guard counts.count == width, counts.allSatisfy({ $0 > 0 }) else { return nil }
        return counts.enumerated().map { (starts.count == width ? starts[$0] : 0, $1) }
    }

    /// Whether the space is `Discrete`, whose numbers have no dimension.
    static func isDiscrete(_ text: String?) -> Bool {
        let space = text.flatMap(object) as? [String: Any]
        return space?["type"] as? String == "Discrete"
    }

    /// The limits of a box of one dimension with `size` numbers, nil for an infinite one; nil where
    /// `text` is no such box.
    static func limits(of text: String, size: Int) -> (low: [Float?], high: [Float?])? {
        guard let space = object(text) as? [String: Any], space["type"] as? String == "Box",
            space["shape"] as? [Int] == [size]
        else { return nil }
        func list(_ name: String) -> [Float?]? {
            let values = (space[name] as? [Any])?.map { ($0 as? NSNumber)?.floatValue }
            return values?.count == size ? values : nil
        }
        guard let low = list("low"), let high = list("high") else { return nil }
        return (low, high)
    }

    /// A box of single-precision numbers, as all that is written are; a limit of nil is infinite.
    static func box(low: [Float?], high: [Float?]) -> String {
        func list(_ values: [Float?], _ infinity: String) -> String {
            values.map { $0.map { "\($0)" } ?? infinity }.joined(separator: ", ")
        }
        return """
            {"type": "Box", "dtype": "float32", "shape": [\(low.count)], \
            "low": [\(list(low, "-Infinity"))], "high": [\(list(high, "Infinity"))]}
            """
    }

    /// A box of single-precision numbers; a range of nil is all numbers.
    static func box(_ limits: [ClosedRange<Float>?]) -> String {
        box(low: limits.map { $0?.lowerBound }, high: limits.map { $0?.upperBound })
    }

    /// The box in `text`, if it is one of `size` numbers, for single-precision numbers.
    static func inSinglePrecision(_ text: String?, size: Int) -> String? {
        text.flatMap { limits(of: $0, size: size) }.map(box(low:high:))
    }
}
