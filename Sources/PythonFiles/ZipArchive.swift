public import Foundation
import Zlib

/// A zip archive: named entries, stored as they are or deflated.
///
/// The content is mapped rather than loaded where the system can. Archives of several parts,
/// encrypted entries and other ways of packing are refused.
public struct ZipArchive: Sendable {
    /// One entry.
    public struct Entry: Sendable, Hashable {
        /// Its name, a path with `/`.
        public let name: String
        /// How many bytes it unpacks to.
        public let size: Int
        fileprivate let packedSize: Int
        fileprivate let isDeflated: Bool
        fileprivate let checksum: UInt32
        fileprivate let header: Int
    }

    /// Name of the file, for messages.
    public let name: String
    /// The entries by name.
    public let entries: [String: Entry]
    private let bytes: Data

    /// Opens an archive.
    ///
    /// - Throws: ``PythonFileError`` when the file is missing, or no archive that is read here.
    public init(contentsOf url: URL) throws(PythonFileError) {
        try self.init(data: try Data(pythonFile: url), name: url.relativePath)
    }

    /// Reads the directory of an archive; `name` is used in messages.
    ///
    /// - Throws: ``PythonFileError`` when the bytes are no archive that is read here.
    public init(data: Data, name: String) throws(PythonFileError) {
        self.name = name
        bytes = data
        do {
            entries = try Self.directory(data, name)
        } catch let error as PythonFileError {
            throw error
        } catch {
            throw PythonFileError(
                .malformed, file: name,
                "its zip directory is damaged or cut short; fetch or write it again")
        }
    }

    /// Whether bytes begin as a zip archive does.
    public static func isArchive(_ start: Data) -> Bool {
        start.starts(with: [0x50, 0x4B, 0x03, 0x04])
            || start.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    /// The largest number of entries; a state has a few hundred.
    private static let mostEntries = 1 << 20

    private static func directory(_ data: Data, _ file: String) throws -> [String: Entry] {
        var (count, start) = try end(data)
        guard count <= mostEntries else { throw ByteReader.End() }
        var result: [String: Entry] = [:]
        while count > 0 {
            count -= 1
            var reader = ByteReader(data, at: start)
            guard try reader.number(UInt32.self) == 0x0201_4B50 else { throw ByteReader.End() }
            _ = try reader.take(4)
            let flags = try reader.number(UInt16.self)
            let method = try reader.number(UInt16.self)
            _ = try reader.take(4)
            let checksum = try reader.number(UInt32.self)
            var packed = UInt64(try reader.number(UInt32.self))
            var size = UInt64(try reader.number(UInt32.self))
            let nameLength = Int(try reader.number(UInt16.self))
            let extraLength = Int(try reader.number(UInt16.self))
            let commentLength = Int(try reader.number(UInt16.self))
            _ = try reader.take(8)
            var header = UInt64(try reader.number(UInt32.self))
            let name = String(decoding: try reader.take(nameLength), as: UTF8.self)
            var extra = ByteReader(try reader.take(extraLength))
            _ = try reader.take(commentLength)
            start = reader.position
            // What does not fit 32 bits lies in the field 1, in this order.
            while extra.left >= 4 {
                let kind = try extra.number(UInt16.self)
                var field = ByteReader(try extra.take(Int(try extra.number(UInt16.self))))
                guard kind == 1 else { continue }
                if size == 0xFFFF_FFFF { size = try field.number(UInt64.self) }
                if packed == 0xFFFF_FFFF { packed = try field.number(UInt64.self) }
                if header == 0xFFFF_FFFF { header = try field.number(UInt64.self) }
            }
            func refuse(_ code: PythonFileError.Code, _ detail: String) -> PythonFileError {
                PythonFileError(code, file: file, part: name, detail)
            }
            guard flags & 1 == 0 else { throw refuse(.foreign, "it is encrypted; unpack it first") }
            guard method == 0 || method == 8 else {
                throw refuse(
                    .foreign,
                    "it is packed by method \(method); only stored and deflated entries "
                        + "are read, pack it again")
            }
            guard let size = Int(exactly: size), let packed = Int(exactly: packed),
                let header = Int(exactly: header), packed <= data.count, header <= data.count,
                // Deflate shrinks to a thousandth at best; more is a lie.
                method == 8 ? size / 1032 <= packed : size == packed
            else { throw ByteReader.End() }
            let entry = Entry(
                name: name, size: size, packedSize: packed, isDeflated: method == 8,
                checksum: checksum, header: header)
            guard result.updateValue(entry, forKey: name) == nil else {
                throw refuse(.malformed, "there are two of this name; write it again")
            }
        }
        return result
    }

    /// The number of entries and where the directory starts.
    private static func end(_ data: Data) throws -> (count: Int, start: Int) {
        // The last record, behind which a comment of at most 65535 bytes may stand.
        let tail = data.suffix(22 + 0xFFFF)
        guard let place = tail.range(of: Data([0x50, 0x4B, 0x05, 0x06]), options: .backwards)
        else { throw ByteReader.End() }
        let record = place.lowerBound - data.startIndex
        var reader = ByteReader(data, at: record + 10)
        let count = try reader.count(UInt16.self)
        _ = try reader.take(4)
        let start = try reader.count(UInt32.self)
        guard count == 0xFFFF || start == 0xFFFF_FFFF, record >= 20 else { return (count, start) }
        var locator = ByteReader(data, at: record - 20)
        guard try locator.number(UInt32.self) == 0x0706_4B50 else { return (count, start) }
        _ = try locator.take(4)
        var wide = ByteReader(data, at: try locator.count(UInt64.self))
        guard try wide.number(UInt32.self) == 0x0606_4B50 else { throw ByteReader.End() }
        _ = try wide.take(28)
        let wideCount = try wide.count(UInt64.self)
        _ = try wide.take(8)
        return (wideCount, try wide.count(UInt64.self))
    }

    // MARK: - Content

    /// The content of an entry.
    ///
    /// - Throws: ``PythonFileError`` when there is no such entry, or it is damaged.
    public func content(of name: String) throws(PythonFileError) -> Data {
        let stream = try stream(of: name)
        guard let stored = stream.stored else {
            return Data(try stream.next(stream.entry.size))
        }
        var sum = ZipChecksum()
        sum.add(stored)
        guard sum.value == stream.entry.checksum else { throw stream.damaged }
        return stored
    }

    /// The content of an entry, to be taken piece by piece.
    ///
    /// - Throws: ``PythonFileError`` when there is no such entry, or it lies outside the file.
    public func stream(of name: String) throws(PythonFileError) -> Stream {
        guard let entry = entries[name] else {
            throw PythonFileError(.missing, file: self.name, part: name, "there is no such entry")
        }
        let damaged = PythonFileError(
            .malformed, file: self.name, part: name,
            "its data are damaged or cut short; fetch or write it again")
        var reader = ByteReader(bytes, at: entry.header)
        do {
            guard try reader.number(UInt32.self) == 0x0403_4B50 else { throw damaged }
            _ = try reader.take(22)
            let nameLength = Int(try reader.number(UInt16.self))
            let extraLength = Int(try reader.number(UInt16.self))
            _ = try reader.take(nameLength + extraLength)
            return try Stream(entry, try reader.take(entry.packedSize), damaged)
        } catch {
            throw damaged
        }
    }

    /// The content of an entry, piece by piece; the last one is compared with the checksum.
    ///
    /// Not to be shared between threads.
    public final class Stream {
        fileprivate let entry: Entry
        /// The content where it is stored as it is.
        fileprivate let stored: Data?
        fileprivate let damaged: PythonFileError
        private let inflater: Inflater?
        private var position = 0
        private var sum = ZipChecksum()

        fileprivate init(_ entry: Entry, _ bytes: Data, _ damaged: PythonFileError) throws {
            self.entry = entry
            self.damaged = damaged
            stored = entry.isDeflated ? nil : bytes
            inflater = entry.isDeflated ? try Inflater([UInt8](bytes)) : nil
        }

        /// How many bytes are left.
        public var left: Int { entry.size - position }

        /// The next `count` bytes.
        ///
        /// - Throws: ``PythonFileError`` when there are fewer, or they are damaged.
        public func next(_ count: Int) throws(PythonFileError) -> [UInt8] {
            guard 0 <= count, count <= left else { throw damaged }
            let bytes: [UInt8]
            if let stored {
                let start = stored.startIndex + position
                bytes = [UInt8](stored[start..<(start + count)])
            } else {
                // Grows with what comes out, not with what the directory claims.
                var parts: [UInt8] = []
                while parts.count < count {
                    let part = (try? inflater?.next(min(count - parts.count, 1 << 22))) ?? []
                    guard !part.isEmpty else { throw damaged }
                    parts += part
                }
                bytes = parts
            }
            position += count
            sum.add(bytes)
            guard left > 0 || sum.value == entry.checksum else { throw damaged }
            return bytes
        }
    }
}

extension Data {
    /// The content of a file, mapped where the system can.
    init(pythonFile url: URL) throws(PythonFileError) {
        func unreadable(_ detail: String) -> PythonFileError {
            PythonFileError(.unreadable, file: url.relativePath, detail)
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw unreadable("there is no such file; check the path")
        }
        guard !isFolder.boolValue else { throw unreadable("it is a folder; give the file") }
        let type =
            (try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path))?[
                .type]
        guard type as? FileAttributeType == .typeRegular else {
            throw unreadable("it is no regular file")
        }
        do {
            self = try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            throw unreadable("it cannot be read; check its permissions")
        }
    }
}
