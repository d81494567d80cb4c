/// Where a training run stands.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// Steps done.
    public var step: Int
    /// Steps in all.
    public var steps: Int
    /// Tokens seen.
    public var tokens: Int
    /// Seconds of training so far, earlier parts of a resumed run included.
    public var seconds: Double
    /// Mean loss since the last report, with dropout.
    public var loss: Double
    /// Loss on held-out windows without dropout, if it was just measured.
    public var heldOutLoss: Double?
    /// Mean cross entropy of the held-out tokens, measured with ``heldOutLoss``.
    public var heldOutCrossEntropy: Double?
    /// Mean cross entropy of the held-out action tokens, measured with ``heldOutLoss``.
    public var heldOutActionCrossEntropy: Double?
    /// Learning rate of the last step.
    public var learningRate: Double
    /// Norm of the last gradient before clipping.
    public var gradientNorm: Double
    /// Tokens per second since the last report.
    public var tokensPerSecond: Double

    /// Seconds until the last step at the present speed.
    public var secondsLeft: Double {
        guard tokensPerSecond > 0, step > 0 else { return 0 }
        return Double(steps - step) * (Double(tokens) / Double(step)) / tokensPerSecond
    }
}
