import Files
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file mapped into memory for reading: its pages are loaded when they are looked at, and given
/// up when memory is short.
///
/// The one place where this target uses pointers; every access is checked against the file's
/// length. The file must not be cut short while it is mapped.
final class MappedFile: @unchecked Sendable {
    private let base: UnsafeRawPointer
    /// Bytes of the file.
    let count: Int

    /// Maps a file that is not empty; nil with `errno` set where that fails.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            errno = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
            return nil
        }
        count = Int(status.st_size)
        guard let pointer = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            pointer != MAP_FAILED
        else { return nil }
        base = UnsafeRawPointer(pointer)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: base), count)
    }

    /// Gives up the memory of the pages of a range; they are loaded again when they are looked at.
    fileprivate func release(from start: UnsafeRawPointer, bytes: Int) {
        let offset = (start - base) / MappedFile.pageBytes * MappedFile.pageBytes
        let end = min(start - base + bytes, count)
        _ = madvise(UnsafeMutableRawPointer(mutating: base + offset), end - offset, MADV_DONTNEED)
    }

    /// Has the pages of a range loaded, while the caller goes on.
    fileprivate func willRead(from start: UnsafeRawPointer, bytes: Int) {
        let offset = (start - base) / MappedFile.pageBytes * MappedFile.pageBytes
        let end = min(start - base + bytes, count)
        _ = madvise(UnsafeMutableRawPointer(mutating: base + offset), end - offset, MADV_WILLNEED)
    }

    /// A multiple of the page size of every platform.
    private static let pageBytes = 1 << 16

    /// Some bytes, copied.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(
            0 <= range.lowerBound && range.upperBound <= count, "\(range) of \(count) bytes")
        return Array(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// `count` little-endian integers from the byte `offset` on, which is a multiple of their size.
    func integers<Element: FixedWidthInteger & BitwiseCopyable & Sendable>(
        at offset: Int, count: Int
    ) -> MappedIntegers<Element> {
        let size = MemoryLayout<Element>.size
        precondition(
            0 <= offset && 0 <= count && offset.isMultiple(of: size)
                && count <= (self.count - offset) / size,
            "\(count) integers of \(size) bytes at \(offset) do not lie in \(self.count) bytes")
        return MappedIntegers(
            file: self, base: (base + offset).assumingMemoryBound(to: Element.self), count: count)
    }
}

/// Integers of a mapped file, as a collection.
struct MappedIntegers<Element: FixedWidthInteger & BitwiseCopyable & Sendable>:
    RandomAccessCollection, @unchecked Sendable
{
    /// Keeps the mapping alive.
    private let file: MappedFile
    private let base: UnsafePointer<Element>
    let count: Int
    var startIndex: Int { 0 }
    var endIndex: Int { count }

    fileprivate init(file: MappedFile, base: UnsafePointer<Element>, count: Int) {
        self.file = file
        self.base = base
        self.count = count
    }

    subscript(index: Int) -> Element {
        precondition(0 <= index && index < count, "element \(index) of \(count)")
        return Element(littleEndian: base[index])
    }

    /// Looks at all elements, a few megabytes at a time, and keeps none in memory.
    func scan(_ body: (UnsafeBufferPointer<Element>) -> Void) {
        let step = 1 << 20
        for start in stride(from: 0, to: count, by: step) {
            let piece = UnsafeBufferPointer(
                start: base + start, count: Swift.min(step, count - start))
            // Read in one go while this piece is looked at.
            let next = Swift.min(start + step, count)
            if start == 0 { willRead(0..<next) }
            willRead(next..<Swift.min(next + step, count))
            body(piece)
            file.release(
                from: UnsafeRawPointer(base + start),
                bytes: piece.count * MemoryLayout<Element>.size)
        }
    }

    /// Has some elements loaded, while the caller goes on.
    func willRead(_ range: Range<Int>) {
        precondition(0 <= range.lowerBound && range.upperBound <= count, "\(range) of \(count)")
        file.willRead(
            from: UnsafeRawPointer(base + range.lowerBound),
            bytes: range.count * MemoryLayout<Element>.size)
    }

    /// The largest element, 0 where there is none.
    var maximum: Element {
        var result: Element = 0
        scan { for element in $0 { result = Swift.max(result, Element(littleEndian: element)) } }
        return result
    }
}

extension WordChecksum {
    /// Adds words of a file, which are not kept in memory.
    mutating func add(_ words: MappedIntegers<UInt64>) {
        var checksum = self
        words.scan { checksum.add($0.lazy.map(UInt64.init(littleEndian:))) }
        self = checksum
    }
}
