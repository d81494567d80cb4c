#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Which tokens may be sampled, and how sharply: temperature, then the CDF filter, then top-k.
///
/// The order is the authors'. Nothing here renormalises; `TokenSampler` does, with a softmax over
/// the filtered logits.
public struct TokenFilter: Sendable, Hashable {
    /// What the CDF filter does at its edges.
    public enum CDFRule: String, Sendable, Hashable, Codable, CaseIterable {
        /// Never removes the most likely token, nor those tied with it, and removes nothing where
        /// no token lies in the low tail.
        ///
        /// Differs from ``authors`` only where it would remove everything (the most likely tokens
        /// tie exactly with the last removed one) or the tail is empty (the least likely token
        /// alone exceeds the threshold), which the logits of a trained model do not bring about.
        case careful
        /// The authors' arithmetic: at least one token is always removed, with everything tied with
        /// it. With ties at the top all tokens go, and the softmax that follows is uniform over the
        /// whole vocabulary.
        case authors
    }

    /// The logit of a token that the CDF filter removed, as in the authors' code (not -inf, so that
    /// removing everything leaves a uniform distribution rather than NaN).
    public static let removedLogit: Float = -1000

    /// Keeps tokens at least as likely as the `topK`-th most likely one; nil keeps all.
    public var topK: Int?
    /// Removes the least likely tokens whose mass together is less than `cdf`; nil removes none.
    ///
    /// So 0.6 keeps the most likely tokens that hold about 40 % of the mass.
    public var cdf: Double?
    /// Divides the logits first; below 1 sharpens.
    public var temperature: Double
    /// What the CDF filter does at its edges.
    public var cdfRule: CDFRule

    /// Creates a filter; without arguments one that changes nothing.
    public init(
        topK: Int? = nil, cdf: Double? = nil, temperature: Double = 1, cdfRule: CDFRule = .careful
    ) {
        self.topK = topK
        self.cdf = cdf
        self.temperature = temperature
        self.cdfRule = cdfRule
    }

    /// The logits after temperature, CDF filter and top-k.
    ///
    /// Tokens removed by the CDF filter have ``removedLogit``, those removed by top-k -inf.
    public func filtered(_ logits: [Float]) -> [Float] {
        var result = logits
        var scratch: [Float] = []
        apply(to: &result, scratch: &scratch)
        return result
    }

    /// The natural logarithms of the probabilities that remain, renormalised; -inf where top-k
    /// removed a token.
    public func logProbabilities(_ logits: [Float]) -> [Float] {
        let kept = filtered(logits)
        let most = kept.max() ?? 0
        let logSum = log(kept.reduce(0) { $0 + exp(Double($1 - most)) })
        return kept.map { Float(Double($0 - most) - logSum) }
    }

    /// Filters in place; `scratch` is only there to be used again.
    func apply(to logits: inout [Float], scratch: inout [Float]) {
        if temperature != 1 {
            let divisor = Float(temperature)
            for index in logits.indices { logits[index] /= divisor }
        }
        if let cdf { removeLowTail(of: &logits, mass: cdf, scratch: &scratch) }
        if let topK, topK < logits.count { keepTop(topK, of: &logits, scratch: &scratch) }
    }

    /// With p sorted ascending and S its cumulative sums, removes every token no more likely than
    /// the last one with S below `mass`.
    ///
    /// Logits are compared in place of probabilities: the order is the same, and ties that rounding
    /// would make between probabilities do not arise.
    private func removeLowTail(of logits: inout [Float], mass: Double, scratch: inout [Float]) {
        guard let most = logits.max() else { return }
        var total: Float = 0
        for logit in logits { total += exponential(logit - most) }
        // Tokens so unlikely that all of them together stay below half the mass are in the tail
        // anyway: only the others need sorting. With a trained model these are few.
        let negligible =
            most + Float(log(mass / Double(2 * logits.count) * Double(total)))
        var cumulative = 0.0
        var threshold: Float?
        scratch.removeAll(keepingCapacity: true)
        for logit in logits {
            if logit < negligible {
                cumulative += Double(exponential(logit - most) / total)
                threshold = max(threshold ?? logit, logit)
            } else {
                scratch.append(logit)
            }
        }
        scratch.sort()
        for logit in scratch {
            cumulative += Double(exponential(logit - most) / total)
            guard cumulative < mass else { break }
            threshold = logit
        }
        switch cdfRule {
        case .authors:
            // With no token in the tail scratch holds them all, and the least likely one goes.
            let threshold = threshold ?? scratch[0]
            for index in logits.indices where logits[index] <= threshold {
                logits[index] = Self.removedLogit
            }
        case .careful:
            guard let threshold else { return }
            for index in logits.indices where logits[index] <= threshold && logits[index] < most {
                logits[index] = Self.removedLogit
            }
        }
    }

    /// Sets to -inf what is below the `count`-th largest logit; ties with that one stay.
    private func keepTop(_ count: Int, of logits: inout [Float], scratch: inout [Float]) {
        let threshold: Float
        if count == 1 {
            threshold = logits.max() ?? -.infinity
        } else {
            scratch.removeAll(keepingCapacity: true)
            scratch.append(contentsOf: logits)
            scratch.sort()
            threshold = scratch[scratch.count - count]
        }
        for index in logits.indices where logits[index] < threshold { logits[index] = -.infinity }
    }
}
