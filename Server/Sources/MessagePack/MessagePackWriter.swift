/// Writes MessagePack as Python's `msgpack` does, and arrays as openpi's `msgpack_numpy` does: a map
/// with binary keys.
public struct MessagePackWriter {
    private var bytes: [UInt8] = []

    /// The bytes of a value.
    public static func write(_ value: MessagePackValue) -> [UInt8] {
        var writer = MessagePackWriter()
        writer.append(value)
        return writer.bytes
    }

    private mutating func append(_ value: MessagePackValue) {
        switch value {
        case .null: bytes.append(0xc0)
        case .boolean(let isTrue): bytes.append(isTrue ? 0xc3 : 0xc2)
        case .integer(let number): append(number)
        case .large(let number): append(0xcf, number, width: 8)
        case .number(let number): append(0xcb, number.bitPattern, width: 8)
        case .string(let text):
            let utf8 = Array(text.utf8)
            utf8.count < 32
                ? bytes.append(0xa0 | UInt8(utf8.count))
                : appendCount(utf8.count, codes: [0xd9, 0xda, 0xdb])
            bytes += utf8
        case .binary(let data): appendBinary(data)
        case .array(let elements):
            appendCount(elements.count, short: 0x90, codes: [nil, 0xdc, 0xdd])
            for element in elements { append(element) }
        case .map(let entries):
            appendCount(entries.count, short: 0x80, codes: [nil, 0xde, 0xdf])
            for entry in entries {
                append(.string(entry.key))
                append(entry.value)
            }
        case .tensor(let array): append(array)
        }
    }

    /// As `msgpack_numpy.pack_array` has it, of type `<f8`.
    private mutating func append(_ array: NumericArray) {
        bytes.append(0x84)
        appendBinary(Array("__ndarray__".utf8))
        append(.boolean(true))
        appendBinary(Array("data".utf8))
        var data: [UInt8] = []
        data.reserveCapacity(8 * array.numbers.count)
        for number in array.numbers {
            for place in 0..<8 {
                data.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(8 * place)))
            }
        }
        appendBinary(data)
        appendBinary(Array("dtype".utf8))
        append(.string("<f8"))
        appendBinary(Array("shape".utf8))
        append(.array(array.shape.map { .integer(Int64($0)) }))
    }

    private mutating func appendBinary(_ data: [UInt8]) {
        appendCount(data.count, codes: [0xc4, 0xc5, 0xc6])
        bytes += data
    }

    private mutating func append(_ number: Int64) {
        switch number {
        case 0...0x7f: bytes.append(UInt8(number))
        case -32..<0: bytes.append(UInt8(bitPattern: Int8(number)))
        case 0...0xff: append(0xcc, UInt64(number), width: 1)
        case 0...0xffff: append(0xcd, UInt64(number), width: 2)
        case 0...0xffff_ffff: append(0xce, UInt64(number), width: 4)
        case 0...: append(0xcf, UInt64(number), width: 8)
        case (-0x80)...: append(0xd0, UInt64(bitPattern: number), width: 1)
        case (-0x8000)...: append(0xd1, UInt64(bitPattern: number), width: 2)
        case (-0x8000_0000)...: append(0xd2, UInt64(bitPattern: number), width: 4)
        default: append(0xd3, UInt64(bitPattern: number), width: 8)
        }
    }

    /// A code and the lowest `width` bytes of a number, the highest first.
    private mutating func append(_ code: UInt8, _ number: UInt64, width: Int) {
        bytes.append(code)
        for place in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place)))
        }
    }

    /// A length: in the code itself up to 15 where `short` is given, else after the code for 1, 2 or
    /// 4 bytes.
    private mutating func appendCount(_ count: Int, short: UInt8? = nil, codes: [UInt8?]) {
        if let short, count < 16 {
            bytes.append(short | UInt8(count))
            return
        }
        for (code, width) in zip(codes, [1, 2, 4]) {
            guard let code, count < 1 << (8 * width) else { continue }
            append(code, UInt64(count), width: width)
            return
        }
        preconditionFailure("\(count) are more than a message can hold")
    }
}
