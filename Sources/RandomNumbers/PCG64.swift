#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// NumPy's default random number generator, PCG64 seeded through a seed sequence.
///
/// The same seed gives the same numbers as `numpy.random.Generator(PCG64(SeedSequence(seed)))`, and
/// so the same starts as Gymnasium's `reset(seed=...)`. O'Neill, "PCG: A Family of Simple Fast
/// Space-Efficient Statistically Good Algorithms for Random Number Generation", 2014 (XSL-RR
/// 128/64).
public struct PCG64: RandomNumberGenerator, Sendable, Equatable {
    private static let multiplier: UInt128 =
        UInt128(2_549_297_995_355_413_924) << 64 | 4_865_540_595_714_422_341

    private var state: UInt128
    private let increment: UInt128
    /// The upper half of a number whose lower half was asked for, as NumPy keeps it.
    private var spare: UInt32?

    /// A generator for one seed, or for a path of numbers such as seed, iteration, direction.
    ///
    /// Different paths give independent sequences; a path equals NumPy's `SeedSequence([...])`.
    public init(seed: UInt64...) {
        self.init(sequence: SeedSequence(entropy: seed))
    }

    /// A generator seeded from a NumPy seed sequence.
    package init(sequence: SeedSequence) {
        let words = sequence.generate(8)
        func wide(_ first: Int) -> UInt128 {
            let high = UInt64(words[first + 1]) << 32 | UInt64(words[first])
            let low = UInt64(words[first + 3]) << 32 | UInt64(words[first + 2])
            return UInt128(high) << 64 | UInt128(low)
        }
        increment = wide(4) << 1 | 1
        state = increment &+ wide(0)
        state = state &* Self.multiplier &+ increment
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state = state &* Self.multiplier &+ increment
        let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        let rotation = UInt64(truncatingIfNeeded: state >> 122)
        return folded >> rotation | folded << ((64 &- rotation) & 63)
    }

    /// A number in [0, 1) with 53 random bits (NumPy's `random()`).
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in [low, high) (NumPy's `uniform(low, high)`).
    public mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * unit()
    }

    /// A number in 0..<bound (NumPy's `integers(bound)`; Lemire, "Fast Random Integer Generation in
    /// an Interval", 2019).
    public mutating func index(below bound: Int) -> Int {
        precondition(1...Int(UInt32.max) ~= bound, "there is no number from 0 to below \(bound)")
        guard bound > 1 else { return 0 }
        let range = UInt32(bound)
        let threshold = (0 &- range) % range
        while true {
            let product = UInt64(nextHalf()) * UInt64(range)
            if UInt32(truncatingIfNeeded: product) >= threshold { return Int(product >> 32) }
        }
    }

    private mutating func nextHalf() -> UInt32 {
        if let half = spare {
            spare = nil
            return half
        }
        let whole = next()
        spare = UInt32(whole >> 32)
        return UInt32(truncatingIfNeeded: whole)
    }

    /// A standard normal number by the transform of Box and Muller; takes two draws.
    ///
    /// What NumPy draws is ``standardNormal()``.
    public mutating func normal() -> Double {
        // 1 - unit() is in (0, 1], so that the logarithm is finite.
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
}

/// NumPy's `SeedSequence`: turns seeds of any length into well-mixed words.
package struct SeedSequence: Sendable {
    private var pool: [UInt32]

    /// Mixes the numbers; each counts as one 32-bit word, or two if it needs them.
    package init(entropy: [UInt64]) {
        let words = entropy.flatMap { number in
            number >> 32 == 0
                ? [UInt32(number)] : [UInt32(truncatingIfNeeded: number), UInt32(number >> 32)]
        }
        var constant: UInt32 = 0x43b0_d7e5
        func hash(_ word: UInt32) -> UInt32 {
            var value = word ^ constant
            constant &*= 0x931e_8875
            value &*= constant
            return value ^ value >> 16
        }
        func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let value = 0xca01_f9dd &* x &- 0x4973_f715 &* y
            return value ^ value >> 16
        }
        pool = (0..<4).map { hash($0 < words.count ? words[$0] : 0) }
        for source in 0..<4 {
            for target in 0..<4 where target != source {
                pool[target] = mix(pool[target], hash(pool[source]))
            }
        }
        for word in words.dropFirst(4) {
            for target in 0..<4 { pool[target] = mix(pool[target], hash(word)) }
        }
    }

    /// `count` words (NumPy's `generate_state`).
    package func generate(_ count: Int) -> [UInt32] {
        var constant: UInt32 = 0x8b51_f9dd
        return (0..<count).map { index in
            var value = pool[index % 4] ^ constant
            constant &*= 0x58f3_8ded
            value &*= constant
            return value ^ value >> 16
        }
    }
}
