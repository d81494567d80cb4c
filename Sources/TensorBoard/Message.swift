/// A message in the encoding of Protocol Buffers, field after field.
///
/// Of `tensorflow.Event` and what it holds: `wall_time` 1 (double), `step` 2 (int64), `file_version`
/// 3 (string), `summary` 5, `session_log` 7; a summary's `value` 1, with `tag` 1 (string) and
/// `simple_value` 2 (float); a session log's `status` 1, of which 1 is a start.
struct Message {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func key(_ field: UInt64, _ kind: UInt64) { varint(field << 3 | kind) }

    /// Adds an integer.
    mutating func add(_ field: UInt64, _ number: Int) {
        key(field, 0)
        varint(UInt64(bitPattern: Int64(number)))
    }

    /// Adds a double.
    mutating func add(_ field: UInt64, _ number: Double) {
        key(field, 1)
        bytes += LittleEndian.bytes(number.bitPattern)
    }

    /// Adds a float.
    mutating func add(_ field: UInt64, _ number: Float) {
        key(field, 5)
        bytes += LittleEndian.bytes(number.bitPattern)
    }

    /// Adds a text or a message.
    mutating func add(_ field: UInt64, _ content: [UInt8]) {
        key(field, 2)
        varint(UInt64(content.count))
        bytes += content
    }
}

/// Numbers as the formats have them.
enum LittleEndian {
    static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func number<Number: FixedWidthInteger>(_ bytes: some Sequence<UInt8>) -> Number {
        bytes.enumerated().reduce(0) { $0 | Number($1.element) << (8 * $1.offset) }
    }
}
