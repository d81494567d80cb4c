import Files

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A learning curve as TensorBoard reads it: numbers under tags, step by step.
///
///     let events = try EventFile(in: folder, after: 0)
///     try events.add([("loss/train", 1.25)], step: 100)
///
/// One file a folder, of records with a length and masked CRC-32C checksums each. A record is
/// written in one piece; what a kill cut short is taken off when the file is opened again, so that
/// everything before and after can be read. A run that goes on from an earlier step says so, and
/// TensorBoard then leaves out what was written beyond it.
public struct EventFile: Sendable {
    /// The file.
    public let url: URL

    /// TensorBoard looks for `tfevents` in names.
    static let name = "events.out.tfevents.trajectory"
    private static let version = "brain.Event:2"

    /// The file in `folder`, which is made if need be, for a run that has made `step` steps.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public init(in folder: URL, after step: Int) throws {
        url = folder.appendingPathComponent(Self.name)
        let present = try Self.repair(url)
        if present == 0 {
            var first = Message()
            first.add(1, Self.now)
            first.add(3, Array(Self.version.utf8))
            try OutputFile.write(Data(Self.record(first.bytes)), to: url, followsLinks: false)
        }
        var start = Message()
        start.add(1, 1)
        var event = Self.event(at: step + 1)
        event.add(7, start.bytes)
        try FilePart.append(Self.record(event.bytes), to: url)
    }

    /// Adds numbers of a step; what is no finite number is left out.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public func add(_ scalars: [(tag: String, number: Double?)], step: Int) throws {
        var summary = Message()
        for (tag, number) in scalars {
            guard let number, number.isFinite else { continue }
            var value = Message()
            value.add(1, Array(tag.utf8))
            value.add(2, Float(number))
            summary.add(1, value.bytes)
        }
        guard !summary.bytes.isEmpty else { return }
        var event = Self.event(at: step)
        event.add(5, summary.bytes)
        try FilePart.append(Self.record(event.bytes), to: url)
    }

    private static var now: Double { Date().timeIntervalSince1970 }

    private static func event(at step: Int) -> Message {
        var event = Message()
        event.add(1, now)
        event.add(2, step)
        return event
    }

    /// Length, its checksum, the data, their checksum.
    private static func record(_ data: [UInt8]) -> [UInt8] {
        let length = LittleEndian.bytes(UInt64(data.count))
        return length + LittleEndian.bytes(CRC32C.masked(length)) + data
            + LittleEndian.bytes(CRC32C.masked(data))
    }

    /// Takes off the end of a file what is no whole record; returns the bytes that are left, 0 where
    /// there is no file.
    private static func repair(_ url: URL) throws -> Int {
        guard let data = try? Data(contentsOf: url) else { return 0 }
        let bytes = [UInt8](data)
        let whole = wholeRecords(bytes)
        if whole > 0, whole < bytes.count { try FilePart.cut(url, to: whole) }
        return whole
    }

    /// The bytes that the whole records at the beginning take.
    static func wholeRecords(_ bytes: [UInt8]) -> Int {
        var end = 0
        while end + 16 <= bytes.count {
            let length: UInt64 = LittleEndian.number(bytes[end..<(end + 8)])
            let checksum: UInt32 = LittleEndian.number(bytes[(end + 8)..<(end + 12)])
            guard checksum == CRC32C.masked(bytes[end..<(end + 8)]),
                length <= UInt64(bytes.count - end - 16)
            else { break }
            let data = bytes[(end + 12)..<(end + 12 + Int(length))]
            let sum: UInt32 = LittleEndian.number(bytes[data.endIndex..<(data.endIndex + 4)])
            guard sum == CRC32C.masked(data) else { break }
            end = data.endIndex + 4
        }
        return end
    }
}
