public import TensorBoard

extension EventFile {
    /// Adds a report of training: losses, learning rate, gradient norm, tokens a second.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public func add(_ progress: TrainingProgress) throws {
        try add(
            [
                ("loss/train", progress.loss), ("loss/held_out", progress.heldOutLoss),
                ("cross_entropy/held_out", progress.heldOutCrossEntropy),
                ("cross_entropy/held_out_actions", progress.heldOutActionCrossEntropy),
                ("learning_rate", progress.learningRate), ("gradient_norm", progress.gradientNorm),
                ("tokens_per_second", progress.tokensPerSecond),
            ], step: progress.step)
    }
}
