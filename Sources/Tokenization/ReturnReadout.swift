/// How reward and value are read from the model's distributions over their tokens.
///
/// Beam search ranks candidates by these numbers rather than by the sampled tokens (Janner et al.
/// 2021, section 3.2).
public enum ReturnReadout: Sendable, Hashable {
    /// The mean, the authors' default.
    case mean
    /// A percentile given as a fraction, such as 0.8.
    case percentile(Double, PercentileReadout = .exact)

    /// Reward and value that two distributions stand for.
    ///
    /// - Parameters:
    ///   - reward: Probabilities of the reward's tokens; the termination token's is ignored.
    ///   - value: Probabilities of the value's tokens; the termination token's is ignored.
    ///   - discretizer: The bins; its last two dimensions are reward and value.
    /// - Returns: The numbers that take the place of the sampled tokens.
    public func read(
        reward: some Collection<Float>, value: some Collection<Float>, discretizer: Discretizer
    ) -> (reward: Double, value: Double) {
        let last = discretizer.dimension - 1
        return (
            read(reward, dimension: last - 1, discretizer: discretizer),
            read(value, dimension: last, discretizer: discretizer)
        )
    }

    /// The number that one distribution stands for.
    ///
    /// - Parameters:
    ///   - probabilities: Probabilities of the dimension's tokens; the termination token's is
    ///     ignored.
    ///   - dimension: Which column of a transition the tokens belong to.
    ///   - discretizer: The bins.
    /// - Returns: The number that takes the place of the sampled token.
    public func read(
        _ probabilities: some Collection<Float>, dimension: Int, discretizer: Discretizer
    ) -> Double {
        switch self {
        case .mean:
            discretizer.expectation(of: probabilities, dimension: dimension)
        case .percentile(let fraction, let readout):
            discretizer.percentile(
                fraction, of: probabilities, dimension: dimension, readout: readout)
        }
    }
}
