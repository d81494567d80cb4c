import Foundation

/// Many numbers for a page: Float32, little-endian, in Base64.
public struct PackedNumbers: Sendable, Hashable, Encodable {
    /// The numbers.
    public var values: [Float]

    /// Packs numbers, rounded to `Float`.
    public init(_ values: some Sequence<Double>) {
        self.values = values.map(Float.init)
    }

    /// Encodes one string.
    public func encode(to encoder: any Encoder) throws {
        var data = Data(capacity: 4 * values.count)
        for value in values {
            let bits = value.bitPattern
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                data.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        var container = encoder.singleValueContainer()
        try container.encode(data.base64EncodedString())
    }
}
