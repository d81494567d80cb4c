/// How likely predictions held what happened, step by step: the logarithm of the density of the
/// true observation, summed over its dimensions, mean over trajectories, in nats.
///
/// The measure of Janner et al. 2021, figure 3: each dimension counts by its marginal distribution
/// over the samples. ``ObservationDensity`` says what a density is.
public struct PredictionLikelihood: Sendable, Equatable {
    /// Of each trajectory, after 1, 2, … steps.
    public let byTrajectory: [[Double]]

    /// The likelihood of these logarithms of densities: trajectories × steps, one or more.
    public init(_ byTrajectory: [[Double]]) {
        precondition(!byTrajectory.isEmpty, "nothing was predicted")
        self.byTrajectory = byTrajectory
    }

    /// The mean over trajectories after 1, 2, … steps.
    public var byStep: [Double] {
        byTrajectory[0].indices.map { step in byTrajectory.map { $0[step] }.mean }
    }

    /// The mean over all steps.
    public var mean: Double { byStep.mean }

    /// Standard errors of ``byStep`` over the trajectories; nil of one.
    public var standardErrors: [Double]? {
        guard byTrajectory.count > 1 else { return nil }
        return byTrajectory[0].indices.map { step in
            Self.standardError(byTrajectory.map { $0[step] })
        }
    }

    /// Standard error of ``mean`` over the trajectories; nil of one.
    public var meanStandardError: Double? {
        byTrajectory.count > 1 ? Self.standardError(byTrajectory.map(\.mean)) : nil
    }

    private static func standardError(_ values: [Double]) -> Double {
        let (mean, count) = (values.mean, Double(values.count))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / (count - 1) / count).squareRoot()
    }
}
