internal import CKernels
internal import RandomNumbers

/// Which elements one place in the network drops in one training step.
///
/// The choice is a hash of (keys, number of the element in the batch): nothing is stored, the
/// backward pass asks again, and the result does not depend on how a batch is split among workers.
/// Srivastava et al. 2014, with the surviving elements scaled by 1 / (1 - probability).
package struct Dropout: Sendable {
    private let key0: UInt32
    private let key1: UInt32
    private let threshold: UInt32
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

    internal var kernel: tt_dropout {
        tt_dropout(key0: key0, key1: key1, threshold: threshold, scale: scale)
    }
}
