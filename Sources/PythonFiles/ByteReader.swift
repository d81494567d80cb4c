import Foundation

/// Bytes taken one after the other, none beyond the end.
struct ByteReader {
    /// There are fewer bytes than were asked for.
    struct End: Error {}

    let bytes: Data
    /// Where the next byte is, counted from the first.
    private(set) var position = 0

    /// Begins at the byte `position`.
    init(_ bytes: Data, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// How many bytes are left.
    var left: Int { bytes.count - position }

    mutating func take(_ count: Int) throws(End) -> Data {
        guard 0 <= count, 0 <= position, count <= left else { throw End() }
        defer { position += count }
        let start = bytes.startIndex + position
        return bytes[start..<(start + count)]
    }

    mutating func byte() throws(End) -> UInt8 {
        guard 0 <= position, position < bytes.count else { throw End() }
        defer { position += 1 }
        return bytes[bytes.startIndex + position]
    }

    /// A little-endian number without sign.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(End) -> Number {
        var result: Number = 0
        for index in 0..<(Number.bitWidth / 8) {
            result |= Number(truncatingIfNeeded: try byte()) << Number(8 * index)
        }
        return result
    }

    /// A number of 4 or 8 bytes that counts bytes.
    mutating func count<Number: FixedWidthInteger>(_ type: Number.Type) throws(End) -> Int {
        guard let count = Int(exactly: try number(type)) else { throw End() }
        return count
    }

    /// The bytes up to the next line feed, which is skipped.
    mutating func line() throws(End) -> Data {
        let start = bytes.startIndex + position
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { throw End() }
        position += end - start + 1
        return bytes[start..<end]
    }
}
