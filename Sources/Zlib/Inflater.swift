import CZlib

/// Unpacks a deflate stream without header, as zip archives hold them, piece by piece.
///
/// Not to be shared between threads.
public final class Inflater {
    /// The stream is damaged or cut short.
    public struct Failure: Error {}

    private var stream = z_stream()
    private let input: [UInt8]
    private var taken = 0
    private var isDone = false

    /// Bytes handed to the library at a time.
    private static let step = 1 << 30

    /// Begins to unpack `input`.
    ///
    /// - Throws: ``Failure`` when the library has no memory.
    public init(_ input: [UInt8]) throws(Failure) {
        self.input = input
        guard czlib_inflate_raw(&stream) == Z_OK else { throw Failure() }
    }

    deinit { inflateEnd(&stream) }

    /// The next `count` bytes, or fewer where the stream ends.
    ///
    /// - Throws: ``Failure`` when the stream is damaged, or ends before its own end.
    public func next(_ count: Int) throws(Failure) -> [UInt8] {
        guard !isDone, count > 0 else { return [] }
        var failed = false
        let result = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            input.withUnsafeBufferPointer { source in
                while initialized < count {
                    let available = min(source.count - taken, Self.step)
                    let room = min(count - initialized, Self.step)
                    // zlib's declaration knows no const; it only reads.
                    stream.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress.map { $0 + taken })
                    stream.avail_in = UInt32(available)
                    stream.next_out = output.baseAddress.map { $0 + initialized }
                    stream.avail_out = UInt32(room)
                    let code = inflate(&stream, Z_NO_FLUSH)
                    taken += available - Int(stream.avail_in)
                    initialized += room - Int(stream.avail_out)
                    if code == Z_STREAM_END {
                        isDone = true
                        return
                    }
                    guard code == Z_OK else {
                        failed = true
                        return
                    }
                }
            }
        }
        guard !failed else { throw Failure() }
        return result
    }
}

/// The checksum of zip archives (CRC-32), taken piece by piece.
public struct ZipChecksum: Sendable {
    /// The checksum of what was added so far.
    public private(set) var value: UInt32 = 0

    /// The checksum of nothing.
    public init() {}

    /// Adds bytes.
    public mutating func add(_ bytes: some Collection<UInt8>) {
        let sum = UInt(value)
        let added = bytes.withContiguousStorageIfAvailable { Self.sum(sum, $0) }
        value = UInt32(
            truncatingIfNeeded: added
                ?? Array(bytes).withUnsafeBufferPointer {
                    Self.sum(sum, $0)
                })
    }

    private static func sum(_ start: UInt, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt {
        crc32_z(start, bytes.baseAddress, bytes.count)
    }
}
