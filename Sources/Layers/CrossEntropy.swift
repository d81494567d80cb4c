import CKernels
package import Tensors

/// Softmax cross entropy of each row, and its gradient in place of the logits.
package enum CrossEntropy {
    /// Replaces each row of `logits` by weight[r] * d entropy[r] / d logits[r].
    ///
    /// entropy[r] = -log softmax(logits[r])[target[r]], unweighted.
    package static func forwardBackward(
        logits: Matrix, targets: UnsafePointer<Int32>, weights: UnsafePointer<Float>,
        entropy: UnsafeMutablePointer<Float>
    ) {
        tt_cross_entropy(
            logits.base, entropy, targets, weights, logits.rows, logits.columns, logits.stride)
    }
}
