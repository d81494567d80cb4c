import RandomNumbers

/// A source of uniform random numbers, one for every row of every sampling call of a planner.
public protocol UniformSource {
    /// The next number, in `0..<1`.
    mutating func next() -> Double
}

/// Uniform numbers that depend on a seed alone, the same on every platform.
///
/// SplitMix64: Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014.
public struct SeededUniforms: UniformSource, Sendable {
    private var generator: SplitMix64

    /// A source whose sequence depends on `seed` alone.
    public init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    /// The next number: a multiple of 2^-53 in `0..<1`.
    public mutating func next() -> Double {
        generator.uniform()
    }
}

/// Uniform numbers from a list, to repeat a recorded plan.
public struct RecordedUniforms: UniformSource, Sendable {
    /// The numbers, in order of use.
    public let numbers: [Double]
    /// How many have been used.
    public private(set) var used = 0

    /// A source that returns `numbers` in order; asking for more is a programming error.
    public init(_ numbers: some Sequence<Double>) {
        self.numbers = Array(numbers)
    }

    /// The next number of the list.
    public mutating func next() -> Double {
        precondition(used < numbers.count, "all \(numbers.count) recorded uniforms are used up")
        defer { used += 1 }
        return numbers[used]
    }
}
