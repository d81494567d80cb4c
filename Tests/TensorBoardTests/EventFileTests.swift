import Foundation
import TensorBoard
import TestSupport
import Testing

@Suite struct EventFileTests {
    /// The records of a file, as the format's description has them, checksums aside.
    private func records(_ url: URL) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: url))
        var (at, records) = (0, [[UInt8]]())
        while at < bytes.count {
            let length = bytes[at..<(at + 8)].enumerated().reduce(0) {
                $0 | Int($1.element) << (8 * $1.offset)
            }
            records.append(Array(bytes[(at + 12)..<(at + 12 + length)]))
            at += length + 16
        }
        #expect(at == bytes.count)
        return records
    }

    @Test func `a first record is the one that TensorFlow writes`() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(in: folder.file("events"), after: 0)
        let bytes = [UInt8](try Data(contentsOf: file.url))
        // A length of 24 with its checksum, as in every file of TensorFlow's.
        #expect(Array(bytes.prefix(12)) == [24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22])
        #expect(String(decoding: bytes[21..<36], as: UTF8.self).hasSuffix("brain.Event:2"))
    }

    @Test func `numbers are written under their tags, and what is none is left out`() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(in: folder.file("events"), after: 0)
        try file.add([("loss/train", 1.5), ("loss/held_out", nil), ("norm", .nan)], step: 300)
        try file.add([("norm", .infinity)], step: 301)
        let all = try records(file.url)
        #expect(all.count == 3)
        let tag = Array("loss/train".utf8)
        // Step 300 as a varint; the summary with one value: the tag, and 1.5 as a float.
        #expect(
            Array(all[2][9...]) == [0x10, 0xAC, 0x02, 0x2A, 19, 0x0A, 17, 0x0A, 10] + tag
                + [0x15, 0, 0, 0xC0, 0x3F])
    }

    @Test func `a record that was cut short is taken off, and the run goes on after it`() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(in: folder.url, after: 0)
        try file.add([("loss", 1)], step: 1)
        let whole = try records(file.url)
        try file.add([("loss", 2)], step: 2)
        var bytes = try Data(contentsOf: file.url)
        bytes.removeLast(5)
        try bytes.write(to: file.url)
        try EventFile(in: folder.url, after: 1).add([("loss", 3)], step: 2)
        let all = try records(file.url)
        #expect(Array(all.prefix(3)) == whole)
        // A start at step 2, of which TensorBoard leaves out what was there.
        #expect(all.count == 5 && Array(all[3][9...]) == [0x10, 2, 0x3A, 2, 0x08, 1])
    }

    @Test func `a file that is no event file is written anew`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("events.out.tfevents.trajectory")
        try Data("something else, of more bytes than a record".utf8).write(to: url)
        let file = try EventFile(in: folder.url, after: 7)
        #expect(file.url.lastPathComponent == url.lastPathComponent)
        #expect(try records(file.url).count == 2)
    }
}
