/// Reads MessagePack of whoever sent it: nothing that it claims is believed before it is checked.
///
/// Memory is at most a fixed multiple of the message's length: counts are held to the bytes that
/// are left before room is made for them.
public struct MessagePackReader {
    /// How large a message may be, beside its bytes.
    public struct Limits: Sendable, Hashable {
        /// Arrays and maps inside each other.
        public var depth = 16
        /// Values altogether, keys not counted.
        public var values = 100_000

        /// The defaults.
        public init() {}
    }

    /// Dimensions of an array; NumPy has no more.
    private static let mostDimensions = 64

    private let bytes: [UInt8]
    private let limits: Limits
    private var offset = 0
    private var values = 0

    /// Reads a message that is these bytes, all of them.
    ///
    /// - Throws: ``MessagePackError``.
    public static func read(
        _ bytes: [UInt8], limits: Limits = .init()
    ) throws(MessagePackError) -> MessagePackValue {
        var reader = MessagePackReader(bytes: bytes, limits: limits)
        let value = try reader.value(depth: 0)
        guard reader.offset == bytes.count else {
            throw reader.error(.trailing, "\(bytes.count - reader.offset) bytes follow the value")
        }
        return value
    }

    private init(bytes: [UInt8], limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    private func error(_ code: MessagePackError.Code, _ detail: String) -> MessagePackError {
        MessagePackError(code: code, offset: offset, detail: detail)
    }

    // MARK: - Bytes

    private mutating func byte() throws(MessagePackError) -> UInt8 {
        guard offset < bytes.count else { throw error(.truncated, "the bytes end") }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// A whole number of `width` bytes, the highest first.
    private mutating func unsigned(_ width: Int) throws(MessagePackError) -> UInt64 {
        var number: UInt64 = 0
        for byte in try slice(width) { number = number << 8 | UInt64(byte) }
        return number
    }

    /// A length of `width` bytes, of which each thing that is counted takes at least one more.
    private mutating func count(_ width: Int) throws(MessagePackError) -> Int {
        let number = try unsigned(width)
        guard number <= bytes.count - offset else {
            throw error(
                .truncated, "\(number) are announced, \(bytes.count - offset) bytes are left")
        }
        return Int(number)
    }

    private mutating func slice(_ count: Int) throws(MessagePackError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - offset else { throw error(.truncated, "the bytes end") }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(MessagePackError) -> MessagePackValue {
        values += 1
        guard values <= limits.values else {
            throw error(.tooLarge, "more than \(limits.values) values")
        }
        let first = try byte()
        switch first {
        case 0x00...0x7f: return .integer(Int64(first))
        case 0x80...0x8f: return try map(Int(first & 0x0f), depth)
        case 0x90...0x9f: return try array(Int(first & 0x0f), depth)
        case 0xa0...0xbf: return .string(try text(Int(first & 0x1f)))
        case 0xc0: return .null
        case 0xc2: return .boolean(false)
        case 0xc3: return .boolean(true)
        case 0xc4...0xc6: return .binary(Array(try slice(try count(1 << (first - 0xc4)))))
        case 0xca: return .number(Double(Float(bitPattern: UInt32(try unsigned(4)))))
        case 0xcb: return .number(Double(bitPattern: try unsigned(8)))
        case 0xcc...0xcf:
            let number = try unsigned(1 << (first - 0xcc))
            return Int64(exactly: number).map { .integer($0) } ?? .large(number)
        case 0xd0: return .integer(Int64(Int8(truncatingIfNeeded: try unsigned(1))))
        case 0xd1: return .integer(Int64(Int16(truncatingIfNeeded: try unsigned(2))))
        case 0xd2: return .integer(Int64(Int32(truncatingIfNeeded: try unsigned(4))))
        case 0xd3: return .integer(Int64(bitPattern: try unsigned(8)))
        case 0xd9...0xdb: return .string(try text(try count(1 << (first - 0xd9))))
        case 0xdc, 0xdd: return try array(try count(first == 0xdc ? 2 : 4), depth)
        case 0xde, 0xdf: return try map(try count(first == 0xde ? 2 : 4), depth)
        case 0xe0...0xff: return .integer(Int64(Int8(bitPattern: first)))
        default:
            throw error(.malformed, "0x\(String(first, radix: 16)) begins no value that is read")
        }
    }

    private mutating func text(_ count: Int) throws(MessagePackError) -> String {
        let slice = try slice(count)
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw error(.malformed, "text that is not UTF-8")
        }
        return text
    }

    private func requireDepth(_ depth: Int) throws(MessagePackError) {
        guard depth < limits.depth else {
            throw error(.tooLarge, "more than \(limits.depth) lists and maps inside each other")
        }
    }

    private mutating func array(
        _ count: Int, _ depth: Int
    ) throws(MessagePackError) -> MessagePackValue {
        try requireDepth(depth)
        var elements: [MessagePackValue] = []
        elements.reserveCapacity(min(count, bytes.count - offset, limits.values - values))
        for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
        return .array(elements)
    }

    private mutating func map(
        _ count: Int, _ depth: Int
    ) throws(MessagePackError) -> MessagePackValue {
        try requireDepth(depth)
        var entries: [MessagePackValue.Entry] = []
        var keys: Set<String> = []
        for _ in 0..<count {
            let key: String
            switch try value(depth: depth + 1) {
            case .string(let text): key = text
            case .binary(let bytes):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw error(.malformed, "a key that is not UTF-8")
                }
                key = text
            case let other: throw error(.malformed, "a key that is \(other.kind)")
            }
            guard keys.insert(key).inserted else {
                throw error(.malformed, "the key '\(key.prefix(40))' twice")
            }
            entries.append(.init(key, try value(depth: depth + 1)))
        }
        return try numeric(entries) ?? .map(entries)
    }

    // MARK: - NumPy

    /// The array or number that a map of `msgpack_numpy` stands for; nil where it is another map.
    private func numeric(
        _ entries: [MessagePackValue.Entry]
    ) throws(MessagePackError) -> MessagePackValue? {
        func entry(_ key: String) -> MessagePackValue? {
            entries.first { $0.key == key }?.value
        }
        if entry("__ndarray__") != nil {
            guard case .binary(let data) = entry("data"), case .string(let name) = entry("dtype"),
                case .array(let lengths) = entry("shape")
            else { throw error(.malformed, "an array without data, dtype or shape") }
            guard let type = NumericType(name) else {
                throw error(.unknownType, "an array of type '\(name.prefix(16))'")
            }
            guard lengths.count <= Self.mostDimensions else {
                throw error(.tooLarge, "an array of \(lengths.count) dimensions")
            }
            var shape: [Int] = []
            var count = 1
            for length in lengths {
                guard case .integer(let number) = length, 0...Int64(1 << 32) ~= number else {
                    throw error(.malformed, "an array whose shape has \(length.kind)")
                }
                shape.append(Int(number))
                let (product, overflow) = count.multipliedReportingOverflow(by: Int(number))
                guard !overflow else { throw error(.tooLarge, "an array of shape \(shape)") }
                count = product
            }
            // Several dimensions of which one is 0 have no numbers, whatever the others are.
            guard data.count % type.width == 0, data.count / type.width == count else {
                throw error(
                    .malformed, "\(data.count) bytes for an array of shape \(shape) and \(name)")
            }
            return .tensor(NumericArray(shape: shape, numbers: type.numbers(data)))
        }
        if entry("__npgeneric__") != nil {
            guard let value = entry("data"), entry("dtype") != nil else {
                throw error(.malformed, "a number of NumPy's without data or dtype")
            }
            return value
        }
        return nil
    }
}
