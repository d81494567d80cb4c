#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small, fast generator whose sequence depends on its seed alone, on every platform.
///
/// Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator seeded with `seed`.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in [0, 1): a multiple of 2^-53.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Puts `items` into a random order (Fisher and Yates).
    package mutating func shuffle<Element>(_ items: inout [Element]) {
        for last in stride(from: items.count - 1, to: 0, by: -1) {
            items.swapAt(last, Int(next() % UInt64(last + 1)))
        }
    }

    /// A draw from the standard normal distribution (Box and Muller).
    package mutating func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
}
