import RandomNumbers

/// The generator of random tests: the project's own, which depends on its seed alone.
///
/// A test that draws at random prints the seed it used.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    /// A generator whose sequence depends on `seed` alone.
    public init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        generator.next()
    }

    /// A number in `range`.
    public mutating func float(in range: ClosedRange<Float>) -> Float {
        Float.random(in: range, using: &self)
    }
}
