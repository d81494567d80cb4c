import MessagePack
import Testing

/// Bytes that `msgpack_numpy` of openpi-client 0.1.2 wrote (msgpack 1.2.4, NumPy 1.26.4).
@Suite struct MessagePackTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).compactMap { place in
            UInt8(hex.dropFirst(place).prefix(2), radix: 16)
        }
    }

    @Test func `what openpi's client writes is read`() throws {
        let message = Self.bytes(
            "84ab6f62736572766174696f6e84c40b5f5f6e6461727261795f5fc3c40464617461c4080000c03f000000c0"
                + "c4056474797065a33c6634c40573686170659102a672657761726483c40d5f5f6e7067656e657269"
                + "635f5fc3c40464617461cb3fe0000000000000c4056474797065a33c6634a5726573657483c40d5f"
                + "5f6e7067656e657269635f5fc3c40464617461c3c4056474797065a37c6231a16ec0")
        #expect(
            try MessagePackReader.read(message)
                == .map([
                    .init("observation", .tensor(NumericArray([1.5, -2]))),
                    .init("reward", .number(0.5)), .init("reset", .boolean(true)),
                    .init("n", .null),
                ]))
    }

    @Test func `arrays of every width and byte order are read`() throws {
        let message = Self.bytes(
            "87a16184c40b5f5f6e6461727261795f5fc3c40464617461c4080100020003000400c4056474797065a33c6932"
                + "c4057368617065920202a16284c40b5f5f6e6461727261795f5fc3c40464617461c4020100c40564"
                + "74797065a37c6231c40573686170659102a16384c40b5f5f6e6461727261795f5fc3c40464617461"
                + "c4083ff0000000000000c4056474797065a33e6638c40573686170659101a16484c40b5f5f6e6461"
                + "727261795f5fc3c40464617461c408003800c0ff03ff7bc4056474797065a33c6632c40573686170"
                + "659104a165cb4004000000000000a16683c40d5f5f6e7067656e657269635f5fc3c40464617461f9"
                + "c4056474797065a33c6938a16784c40b5f5f6e6461727261795f5fc3c40464617461c400c4056474"
                + "797065a33c6638c4057368617065920003")
        // 0x03ff is the largest number below the normal ones of half precision.
        let half = NumericArray([0.5, -2, 1023.0 / 1024 * 0x1p-14, 65504])
        #expect(
            try MessagePackReader.read(message)
                == .map([
                    .init("a", .tensor(NumericArray(rows: [[1, 2], [3, 4]], columns: 2))),
                    .init("b", .tensor(NumericArray([1, 0]))),
                    .init("c", .tensor(NumericArray([1]))), .init("d", .tensor(half)),
                    .init("e", .number(2.5)), .init("f", .integer(-7)),
                    .init("g", .tensor(NumericArray(shape: [0, 3], numbers: []))),
                ]))
    }

    @Test func `an array is written as openpi's client writes it`() {
        #expect(
            MessagePackWriter.write(.tensor(NumericArray(rows: [[1, 2]], columns: 2)))
                == Self.bytes(
                    "84c40b5f5f6e6461727261795f5fc3c40464617461c410000000000000f03f0000000000000040"
                        + "c4056474797065a33c6638c4057368617065920102"))
    }

    @Test(arguments: [
        (0, "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65535, "cdffff"),
        (65536, "ce00010000"), (4_294_967_295, "ceffffffff"),
        (4_294_967_296, "cf0000000100000000"), (Int64.max, "cf7fffffffffffffff"), (-1, "ff"),
        (-32, "e0"), (-33, "d0df"), (-128, "d080"), (-129, "d1ff7f"), (-32768, "d18000"),
        (-32769, "d2ffff7fff"), (-2_147_483_648, "d280000000"),
        (-2_147_483_649, "d3ffffffff7fffffff"), (Int64.min, "d38000000000000000"),
    ])
    func `whole numbers are written as msgpack writes them, and read`(
        number: Int64, hex: String
    ) throws {
        #expect(MessagePackWriter.write(.integer(number)) == Self.bytes(hex))
        #expect(try MessagePackReader.read(Self.bytes(hex)) == .integer(number))
    }

    @Test(arguments: [0, 15, 16, 31, 32, 255, 256, 65535, 65536])
    func `what is written is read, at every length`(count: Int) throws {
        let values: [MessagePackValue] = [
            .string(String(repeating: "a", count: count)),
            .binary([UInt8](repeating: 7, count: count)),
            .array(Array(repeating: .boolean(true), count: count)),
            .map((0..<count).map { .init("\($0)", .null) }),
            .tensor(NumericArray((0..<count).map { Double($0) / 3 })), .large(.max),
        ]
        for value in values {
            var limits = MessagePackReader.Limits()
            limits.values = 200_000
            let bytes = MessagePackWriter.write(value)
            #expect(try MessagePackReader.read(bytes, limits: limits) == value)
        }
    }

    @Test(arguments: [
        ("", MessagePackError.Code.truncated), ("c1", .malformed), ("0000", .trailing),
        ("92", .truncated), ("ddffffffff", .truncated), ("dfffffffff", .truncated),
        ("c6ffffffff", .truncated), ("dbffffffff00", .truncated), ("8101c0", .malformed),
        ("82a16101a16102", .malformed), ("a1ff", .malformed), ("d40100", .malformed),
        ("cb00", .truncated), ("81c40b5f5f6e6461727261795f5fc3", .malformed),
        // An array of objects, one of a shape too large for its bytes, one too large to count.
        (
            "84c40b5f5f6e6461727261795f5fc3c40464617461c400c4056474797065a27c4fc40573686170659100",
            .unknownType
        ),
        (
            "84c40b5f5f6e6461727261795f5fc3c40464617461c400c4056474797065a33c6638c40573686170659101",
            .malformed
        ),
        (
            "84c40b5f5f6e6461727261795f5fc3c40464617461c400c4056474797065a33c6638c4057368617065"
                + "93cf0000000100000000cf0000000100000000cf0000000100000000", .tooLarge
        ),
        (
            "84c40b5f5f6e6461727261795f5fc3c40464617461c400c4056474797065a33c6638c40573686170659"
                + "1ff", .malformed
        ),
    ])
    func `what is no message is refused`(hex: String, code: MessagePackError.Code) throws {
        let error = #expect(throws: MessagePackError.self) {
            try MessagePackReader.read(Self.bytes(hex))
        }
        #expect(error?.code == code, "\(String(describing: error))")
    }

    @Test func `depth and number of values are bounded`() {
        var limits = MessagePackReader.Limits()
        limits.depth = 3
        limits.values = 10
        let deep = [UInt8](repeating: 0x91, count: 100_000) + [0]
        #expect(throws: MessagePackError.self) { try MessagePackReader.read(deep) }
        #expect(throws: MessagePackError.self) {
            try MessagePackReader.read([0x91, 0x91, 0x91, 0x91, 0], limits: limits)
        }
        #expect(throws: Never.self) {
            try MessagePackReader.read([0x91, 0x91, 0x91, 0], limits: limits)
        }
        let wide = [0xdc, 0, 10] + [UInt8](repeating: 0, count: 10)
        #expect(throws: MessagePackError.self) {
            try MessagePackReader.read(wide, limits: limits)
        }
    }

    @Test func `no mutation of a message makes the reader trap`() {
        let message = MessagePackWriter.write(
            .map([
                .init("observation", .tensor(NumericArray(rows: [[1, 2], [3, 4]], columns: 2))),
                .init("history", .map([.init("rewards", .array([.number(1), .integer(-300)]))])),
                .init("text", .string("äöü")), .init("seed", .large(.max)),
            ]))
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        func next(_ bound: Int) -> Int {
            // Marsaglia's xorshift.
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = message
            for _ in 0...next(4) {
                switch next(3) {
                case 0 where !bytes.isEmpty: bytes[next(bytes.count)] = UInt8(next(256))
                case 1 where !bytes.isEmpty: bytes.removeLast(1 + next(min(8, bytes.count)))
                default: bytes.insert(UInt8(next(256)), at: next(bytes.count + 1))
                }
            }
            if (try? MessagePackReader.read(bytes)) == nil { refused += 1 }
        }
        #expect(refused > 1000, "seed \(seed)")
    }
}
