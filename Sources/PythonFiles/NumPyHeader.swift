import Foundation

/// What stands before the numbers of an array in NumPy's own format (`.npy`).
public struct NumPyHeader: Sendable, Hashable {
    /// The elements' type; nil where they are no numbers (Python's objects, texts, records).
    public let type: NumPyArray.ElementType?
    /// The elements' type as the file writes it.
    public let typeName: String
    /// Extent of each dimension, the outermost first.
    public let shape: [Int]
    /// Whether the first dimension's neighbours lie side by side.
    let isFortran: Bool
    /// Bytes before the numbers.
    let length: Int

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// The longest header; NumPy's own limit is smaller.
    private static let longest = 1 << 16

    /// Reads the header at the start of `stream`; nil where it is none.
    init?(_ stream: ZipArchive.Stream) throws(PythonFileError) {
        guard stream.left >= 10 else { return nil }
        let start = try stream.next(8)
        guard start.starts(with: Self.magic), (1...3).contains(start[6]) else { return nil }
        let isShort = start[6] == 1
        guard stream.left >= 4 else { return nil }
        let size = try stream.next(isShort ? 2 : 4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= Self.longest, size <= stream.left else { return nil }
        let text = String(decoding: try stream.next(size), as: UTF8.self)
        length = (isShort ? 10 : 12) + size
        // A dictionary as Python writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (3,)}
        guard let order = Self.value("fortran_order", in: text, upTo: [",", "}"]),
            let extents = Self.value("shape", in: text, upTo: [")"])
        else { return nil }
        isFortran = order == "True"
        let parts = extents.drop { $0 == "(" }.split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        let numbers = parts.compactMap(Int.init)
        guard numbers.count == parts.count, NumPyArray.count(of: numbers) != nil else { return nil }
        shape = numbers
        let description = Self.value("descr", in: text, upTo: [",", "}"]) ?? ""
        typeName = description.trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        type = NumPyArray.ElementType(typeName)
    }

    private static func value(
        _ name: String, in text: String, upTo ends: Set<Character>
    ) -> String? {
        guard let key = text.range(of: "'\(name)':") else { return nil }
        let rest = text[key.upperBound...].drop { $0 == " " }
        guard let end = rest.firstIndex(where: ends.contains) else { return nil }
        return String(rest[..<end])
    }

    /// The header of an array, as NumPy's first version writes it.
    public static func bytes(type: String, shape: [Int]) -> [UInt8] {
        let extents =
            shape.count == 1
            ? "(\(shape[0]),)" : "(\(shape.map(String.init).joined(separator: ", ")))"
        var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(extents), }"
        // The numbers begin at a multiple of 64, after a line feed.
        let used = magic.count + 4 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - used % 64) % 64) + "\n"
        var bytes = magic + [1, 0]
        bytes.add(UInt16(text.utf8.count))
        return bytes + text.utf8
    }
}
