import TestSupport
import Testing
import Zlib

struct InflaterTests {
    /// `zlib.compressobj(wbits=-15)` of Python on b"abc" * 100.
    private static let packed: [UInt8] = [
        0x4B, 0x4C, 0x4A, 0x4E, 0x1C, 0x45, 0xC4, 0x21, 0x00,
    ]

    @Test(arguments: [1, 7, 300, 1000])
    func `a stream comes out piece by piece as it went in`(step: Int) throws {
        let inflater = try Inflater(Self.packed)
        var bytes: [UInt8] = []
        while true {
            let part = try inflater.next(step)
            guard !part.isEmpty else { break }
            bytes += part
        }
        #expect(bytes == Array(String(repeating: "abc", count: 100).utf8))
    }

    @Test func `a stream that is cut short or damaged is refused`() throws {
        let short = try Inflater(Array(Self.packed.prefix(8)))
        #expect(throws: Inflater.Failure.self) { _ = try short.next(1000) }
        let damaged = try Inflater([0xFF] + Self.packed)
        #expect(throws: Inflater.Failure.self) { _ = try damaged.next(1000) }
    }

    @Test func `the checksum is that of zip, whole or in pieces`() {
        var whole = ZipChecksum()
        whole.add(Array("123456789".utf8))
        #expect(whole.value == 0xCBF4_3926)
        var pieces = ZipChecksum()
        pieces.add(Array("1234".utf8))
        pieces.add(Array("56789".utf8)[...])
        #expect(pieces.value == whole.value)
    }
}
