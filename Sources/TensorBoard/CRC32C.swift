/// The checksum of TensorBoard's records: CRC-32C (Castagnoli), masked.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
        }
    }

    /// The checksum of bytes.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xFF)] }
    }

    /// The checksum as records have it: rotated and shifted, since a checksum of data that hold
    /// checksums is weak.
    static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let value = checksum(bytes)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}
