public import Transformer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A named way to train: what parameters are at first, what they learn by, how fast.
public enum Recipe: String, Sendable, Hashable, Codable, CaseIterable {
    /// The paper's (Janner et al. 2021, appendix D): AdamW at 6e-4 from the authors' start, with
    /// dropout.
    case authors
    /// What learns most from few tokens: Muon and a smooth start, without dropout, at a rate that
    /// follows the model's size and the run's length (decision 0015).
    case quick

    /// Sets what the recipe says; the learning rate is `learningRate(width:tokens:)`'s matter.
    public func apply(
        to options: inout TrainingOptions, _ shape: inout TransformerConfiguration.Shape
    ) {
        switch self {
        case .authors:
            options.start = .authors
            options.optimizer = .adamw
            options.keepsBest = false
            shape.dropout = TransformerConfiguration.Shape().dropout
        case .quick:
            options.start = .smooth
            options.optimizer = .muon
            options.keepsBest = true
            shape.dropout = 0
        }
    }

    /// The full learning rate for a run of these options and a model of `width` channels.
    ///
    /// Of ``quick``, less for wider models and for runs of more than a thousand steps (decision
    /// 0015):
    ///
    ///     8e-3 min(1, 64 / width) min(1, 1000 / steps)^(1/3)
    ///
    /// Of a run that begins with the weights of a checkpoint 5e-4 (decision 0018), so that they are
    /// not lost in its first steps.
    public func learningRate(_ options: TrainingOptions, width: Int) -> Double {
        switch self {
        case .authors: return TrainingOptions().learningRate
        case .quick:
            if options.initialCheckpoint != nil { return 5e-4 }
            let length = min(1, 1000 / Double(max(options.steps, 1)))
            let rate = 8e-3 * min(1, 64 / Double(max(width, 1))) * cbrt(length)
            // Two digits: what is recorded is what was typed.
            let scale = pow(10, 1 - floor(log10(rate)))
            return (rate * scale).rounded() / scale
        }
    }
}
