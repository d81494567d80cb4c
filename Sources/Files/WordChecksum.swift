/// A 64-bit checksum of words, to tell damaged files; no protection against intent.
package struct WordChecksum {
    /// The sum of what was added.
    package private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The sum of nothing.
    package init() {}

    /// Adds words.
    package mutating func add(_ words: some Sequence<UInt64>) {
        for word in words {
            value = (value ^ word) &* 0xD134_2543_DE82_EF95
            value ^= value >> 32
        }
    }

    /// Adds bytes, a multiple of eight of them.
    package mutating func add(bytes: [UInt8]) {
        precondition(bytes.count.isMultiple(of: 8), "\(bytes.count) bytes are no whole words")
        bytes.withUnsafeBytes { add(words: $0) }
    }

    /// Adds bytes; an incomplete last word is filled with zeros.
    package mutating func add(padding bytes: some RandomAccessCollection<UInt8>) {
        let whole = bytes.count / 8 * 8
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            add(words: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0)[..<whole]))
        }
        let rest = isDone == nil ? Array(bytes) : Array(bytes.suffix(bytes.count - whole))
        let zeros = repeatElement(UInt8(0), count: (8 - rest.count % 8) % 8)
        add(bytes: rest + zeros)
    }

    private mutating func add(words bytes: UnsafeRawBufferPointer) {
        add(
            (0..<(bytes.count / 8)).lazy.map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
            })
    }
}
