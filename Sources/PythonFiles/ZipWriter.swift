public import Files
import Foundation
import Zlib

/// A zip archive of stored entries that is being written, one after the other.
///
/// Sizes beyond 32 bits are written as Zip64 has them. Not to be shared between threads.
public final class ZipWriter {
    private struct Entry {
        let name: [UInt8]
        let header: Int
        let size: Int
        let flags: UInt16
        var written = 0
        var sum = ZipChecksum()
    }

    private let file: PendingFile
    private var position = 0
    private var done: [Entry] = []
    private var current: Entry?

    /// An archive that becomes the content of `file`, which stays the caller's to commit.
    public init(_ file: PendingFile) {
        self.file = file
    }

    /// Adds a whole entry.
    ///
    /// - Parameters:
    ///   - name: Its name, a path with `/`.
    ///   - content: What it holds.
    ///   - alignment: Of what the place of its content is to be a multiple, in bytes.
    /// - Throws: `FileError` when it cannot be written.
    public func add(
        _ name: String, _ content: [UInt8], alignment: Int = 1
    ) throws(FileError) {
        var sum = ZipChecksum()
        sum.add(content)
        try begin(name, content.count, flags: 0, checksum: sum.value, alignment)
        try write(content)
        try end()
    }

    /// Begins an entry of `size` bytes, which are then written piece by piece.
    ///
    /// - Throws: `FileError` when it cannot be written.
    public func begin(_ name: String, size: Int) throws(FileError) {
        // The checksum follows the content.
        try begin(name, size, flags: 1 << 3, checksum: 0, 1)
    }

    /// Whether a number does not fit 32 bits, of which the largest has a meaning of its own.
    private static func isWide(_ number: Int) -> Bool { number >= 0xFFFF_FFFF }

    private func begin(
        _ name: String, _ size: Int, flags: UInt16, checksum: UInt32, _ alignment: Int
    ) throws(FileError) {
        precondition(current == nil, "an entry is begun before the last one is whole")
        let entry = Entry(name: Array(name.utf8), header: position, size: size, flags: flags)
        let isWide = Self.isWide(size)
        var extra: [UInt8] = []
        if isWide {
            extra.add(UInt16(1))
            extra.add(UInt16(16))
            extra.add(UInt64(size))
            extra.add(UInt64(size))
        }
        let content = position + 30 + entry.name.count + extra.count
        if !content.isMultiple(of: alignment) {
            // A field that PyTorch, too, fills up with; 4 bytes are its own.
            let padding = alignment - (content + 4) % alignment
            extra.add(UInt16(0x4246))
            extra.add(UInt16(padding))
            extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)
        }
        var header: [UInt8] = []
        header.add(UInt32(0x0403_4B50))
        header.add(UInt16(isWide ? 45 : 20))
        header.add(flags)
        header.add(UInt16(0))
        header.add(UInt32(0x0021_0000))  // The first day that the format knows.
        header.add(checksum)
        header.add(isWide ? .max : UInt32(size))
        header.add(isWide ? .max : UInt32(size))
        header.add(UInt16(entry.name.count))
        header.add(UInt16(extra.count))
        try put(header + entry.name + extra)
        current = entry
    }

    /// Adds bytes to the entry that was begun.
    ///
    /// - Throws: `FileError` when they cannot be written.
    public func write(_ bytes: [UInt8]) throws(FileError) {
        guard var entry = current else { preconditionFailure("no entry was begun") }
        entry.written += bytes.count
        entry.sum.add(bytes)
        precondition(entry.written <= entry.size, "an entry gets more bytes than it was to have")
        current = entry
        try put(bytes)
    }

    /// Ends the entry that was begun, which has all its bytes.
    ///
    /// - Throws: `FileError` when it cannot be written.
    public func end() throws(FileError) {
        guard let entry = current, entry.written == entry.size else {
            preconditionFailure("an entry has fewer bytes than it was to have")
        }
        if entry.flags != 0 {
            var descriptor: [UInt8] = []
            descriptor.add(UInt32(0x0807_4B50))
            descriptor.add(entry.sum.value)
            if Self.isWide(entry.size) {
                descriptor.add(UInt64(entry.size))
                descriptor.add(UInt64(entry.size))
            } else {
                descriptor.add(UInt32(entry.size))
                descriptor.add(UInt32(entry.size))
            }
            try put(descriptor)
        }
        done.append(entry)
        current = nil
    }

    /// Writes the directory, after which nothing can be added.
    ///
    /// - Throws: `FileError` when it cannot be written.
    public func finish() throws(FileError) {
        precondition(current == nil, "an archive ends before its last entry is whole")
        let start = position
        for entry in done { try put(directoryEntry(entry)) }
        let size = position - start
        var end: [UInt8] = []
        if Self.isWide(start) || Self.isWide(size) || done.count >= 0xFFFF {
            let place = position
            end.add(UInt32(0x0606_4B50))
            end.add(UInt64(44))
            end.add(UInt16(45))
            end.add(UInt16(45))
            end.add(UInt64(0))
            for number in [done.count, done.count, size, start] { end.add(UInt64(number)) }
            end.add(UInt32(0x0706_4B50))
            end.add(UInt32(0))
            end.add(UInt64(place))
            end.add(UInt32(1))
        }
        end.add(UInt32(0x0605_4B50))
        end.add(UInt32(0))
        end.add(UInt16(min(done.count, 0xFFFF)))
        end.add(UInt16(min(done.count, 0xFFFF)))
        end.add(UInt32(min(size, 0xFFFF_FFFF)))
        end.add(UInt32(min(start, 0xFFFF_FFFF)))
        end.add(UInt16(0))
        try put(end)
    }

    private func directoryEntry(_ entry: Entry) -> [UInt8] {
        let (wideSize, wideHeader) = (Self.isWide(entry.size), Self.isWide(entry.header))
        var extra: [UInt8] = []
        if wideSize || wideHeader {
            extra.add(UInt16(1))
            extra.add(UInt16((wideSize ? 16 : 0) + (wideHeader ? 8 : 0)))
            if wideSize {
                extra.add(UInt64(entry.size))
                extra.add(UInt64(entry.size))
            }
            if wideHeader { extra.add(UInt64(entry.header)) }
        }
        var bytes: [UInt8] = []
        bytes.add(UInt32(0x0201_4B50))
        bytes.add(UInt16(extra.isEmpty ? 20 : 45))
        bytes.add(UInt16(extra.isEmpty ? 20 : 45))
        bytes.add(entry.flags)
        bytes.add(UInt16(0))
        bytes.add(UInt32(0x0021_0000))
        bytes.add(entry.sum.value)
        bytes.add(wideSize ? .max : UInt32(entry.size))
        bytes.add(wideSize ? .max : UInt32(entry.size))
        bytes.add(UInt16(entry.name.count))
        bytes.add(UInt16(extra.count))
        bytes += [UInt8](repeating: 0, count: 10)
        bytes.add(wideHeader ? .max : UInt32(entry.header))
        return bytes + entry.name + extra
    }

    private func put(_ bytes: [UInt8]) throws(FileError) {
        try file.write(bytes)
        position += bytes.count
    }
}

extension [UInt8] {
    /// Adds a number, the lowest byte first.
    mutating func add<Number: FixedWidthInteger>(_ number: Number) {
        for index in 0..<(Number.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: number >> Number(8 * index)))
        }
    }
}
