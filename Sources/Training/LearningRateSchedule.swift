#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Linear warm-up, then a cosine, both counted in tokens.
///
/// The rate of a step is set after the previous one, so the very first step runs at the full rate.
/// As the trainer of Janner et al. 2021 has it in code; the cosine's floor is a tenth of the rate.
public struct LearningRateSchedule: Sendable, Hashable, Codable {
    /// What happens after ``finalTokens``.
    public enum Ending: String, Sendable, Hashable, Codable, CaseIterable {
        /// The rate stays at its floor.
        case hold
        /// The cosine goes on and rises again, as in the authors' code.
        case authors
    }

    /// The full rate.
    public var rate: Double
    /// Tokens of linear warm-up.
    public var warmupTokens: Int
    /// Tokens at which the cosine reaches its end.
    public var finalTokens: Int
    /// What happens after the end.
    public var ending: Ending

    /// Creates a schedule.
    public init(rate: Double, warmupTokens: Int, finalTokens: Int, ending: Ending = .hold) {
        self.rate = rate
        self.warmupTokens = warmupTokens
        self.finalTokens = finalTokens
        self.ending = ending
    }

    /// What the full rate is multiplied by once `tokens` tokens have been seen.
    public func multiplier(afterTokens tokens: Int) -> Double {
        if tokens < warmupTokens { return Double(tokens) / Double(max(1, warmupTokens)) }
        var progress =
            Double(tokens - warmupTokens) / Double(max(1, finalTokens - warmupTokens))
        if ending == .hold { progress = min(progress, 1) }
        return max(0.1, 0.5 * (1 + cos(.pi * progress)))
    }

    /// The learning rate of the step after `tokens` tokens; the first step runs at the full rate.
    public func rate(afterTokens tokens: Int) -> Double {
        tokens == 0 ? rate : rate * multiplier(afterTokens: tokens)
    }
}
