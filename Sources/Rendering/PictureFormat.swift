package import Foundation

/// Kinds of pictures and videos, and how one sees that a file of the kind goes to its end.
///
/// gnuplot and ffmpeg end with status 0 also where the disk was full.
package enum PictureFormat: String, Sendable, CaseIterable {
    case png, svg, gif, mp4

    /// Whether the file is whole, as far as its frame tells.
    package func isWhole(_ url: URL) -> Bool {
        guard let data = try? Data(contentsOf: url, options: .mappedIfSafe) else { return false }
        return isWhole(data)
    }

    /// Whether the bytes are a whole file, as far as its frame tells.
    package func isWhole(_ data: Data) -> Bool {
        switch self {
        case .svg:
            let end = String(decoding: data.suffix(64), as: UTF8.self)
            return end.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix("</svg>")
        case .gif:
            return data.starts(with: Data("GIF8".utf8)) && data.count > 14 && data.last == 0x3B
        case .png:
            guard data.starts(with: [0x89] + Data("PNG\r\n".utf8) + [0x1A, 0x0A]) else {
                return false
            }
            // Length, kind, data and checksum, chunk after chunk.
            return Self.last(in: data, from: 8) { ($0 + 12, $1) } == "IEND"
        case .mp4:
            var kinds: Set<String> = []
            let last = Self.last(in: data, from: 0) { length, kind in
                kinds.insert(kind)
                return (length, kind)
            }
            return last != nil && kinds.isSuperset(of: ["ftyp", "moov", "mdat"])
        }
    }

    /// The kind of the last part of a file that is parts one after the other, each with its length
    /// and kind in front; nil where they do not end with the file.
    private static func last(
        in data: Data, from start: Int, part: (_ length: Int, _ kind: String) -> (Int, String)
    ) -> String? {
        var (place, last) = (start, String?.none)
        while place < data.count {
            guard place + 8 <= data.count else { return nil }
            let head = data[(data.startIndex + place)..<(data.startIndex + place + 8)]
            let length = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let (whole, kind) = part(length, String(decoding: head.suffix(4), as: UTF8.self))
            guard whole >= 8 else { return nil }
            place += whole
            last = kind
        }
        return place == data.count ? last : nil
    }
}
