/// Which elements one place in a network drops in one training step.
///
/// The choice is a hash of (keys, number of the element in the batch): nothing is stored, the
/// backward pass asks again, and the result does not depend on how a batch is split among workers,
/// processes or devices. Which element has which number is decision 0004's matter. Srivastava et
/// al. 2014, with the surviving elements scaled by 1 / (1 - probability).
package struct Dropout: Sendable, Hashable {
    /// The low half of what the stream gives.
    package let key0: UInt32
    /// The high half.
    package let key1: UInt32
    /// Elements whose hash lies below it are dropped; 0 drops nothing.
    package let threshold: UInt32
    /// What surviving elements are multiplied by.
    package let scale: Float

    /// Drops nothing.
    package static let none = Dropout(probability: 0, stream: 0)

    /// Drops each element with `probability`; `stream` names the place and the step.
    package init(probability: Float, stream: UInt64) {
        precondition(
            probability >= 0 && probability < 1, "dropout must lie in [0, 1), found \(probability)")
        var generator = SplitMix64(seed: stream)
        let keys = generator.next()
        key0 = UInt32(truncatingIfNeeded: keys)
        key1 = UInt32(truncatingIfNeeded: keys >> 32)
        threshold = UInt32(Double(probability) * 0x1p32)
        scale = 1 / (1 - probability)
    }

    /// Whether anything is dropped.
    package var isActive: Bool { threshold > 0 }

    /// Whether the element of this number is dropped; numbers beyond 32 bits wrap.
    ///
    /// The definition, for reading and for tests: engines compute the same many elements at a time.
    package func drops(_ element: Int) -> Bool {
        var x = UInt32(truncatingIfNeeded: element) &* 0x9E37_79B9 ^ key0
        x ^= x >> 16
        x = x &* 0x7FEB_352D
        x ^= (x >> 15) ^ key1
        x = x &* 0x846C_A68B
        x ^= x >> 16
        return x < threshold
    }
}
