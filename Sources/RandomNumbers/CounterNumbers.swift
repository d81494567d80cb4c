#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Random numbers by their place: number i of a stream is a function of seed, stream and i alone.
///
/// Who needs a number computes it, in whatever order, on whatever machine; nothing is stored but the
/// seed. Number i of stream s of a seed is
///
///     key = mix(seed + (s + 1) γ);   value(i) = mix(key + (i + 1) γ)
///
/// with SplitMix64's constant γ and its finalizer as mix (Steele, Lea and Flood 2014); sums wrap.
package struct CounterNumbers: Sendable, Hashable {
    /// What the numbers of the stream depend on.
    package let key: UInt64

    private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The numbers of one stream of a seed.
    package init(seed: UInt64, stream: UInt64) {
        key = Self.mix(seed &+ (stream &+ 1) &* Self.gamma)
    }

    /// Number `index`: 64 random bits.
    package func value(_ index: UInt64) -> UInt64 {
        Self.mix(key &+ (index &+ 1) &* Self.gamma)
    }

    /// A number from 0 to below `bound`, from the high half of value `index`.
    package func number(_ index: UInt64, below bound: Int) -> Int {
        Int((value(index) >> 32 &* UInt64(bound)) >> 32)
    }

    /// A standard normal number, from value `index` (Box and Muller).
    ///
    ///     z = √(-2 ln((h + 1/2) 2⁻²⁴)) cos(2π l 2⁻²⁴)
    ///
    /// with h and l the upper 24 bits of the high and of the low half of the value.
    package func normal(_ index: UInt64) -> Float {
        let bits = value(index)
        let (high, low) = (Float(bits >> 40), Float(bits >> 8 & 0xFF_FFFF))
        let radius = (-2 * log((high + 0.5) * 0x1p-24)).squareRoot()
        return radius * cos(2 * .pi * (low * 0x1p-24))
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³, from value `index`.
    package func uniform(_ index: UInt64) -> Double {
        Double(value(index) >> 11) * 0x1p-53
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
