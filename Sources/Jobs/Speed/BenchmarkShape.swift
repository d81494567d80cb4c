import Trajectories
public import Transformer

/// The paper's two locomotion shapes, for measurements of speed.
public enum BenchmarkShape: String, Sendable, CaseIterable, Codable {
    /// 11 observation and 3 action dimensions.
    case hopper
    /// 17 observation and 6 action dimensions.
    case halfcheetah

    /// The paper's configuration for this environment: ten transitions of context.
    public var configuration: TransformerConfiguration {
        switch self {
        case .hopper:
            TransformerConfiguration(
                layout: TransitionLayout(observationDimension: 11, actionDimension: 3))
        case .halfcheetah:
            TransformerConfiguration(
                layout: TransitionLayout(observationDimension: 17, actionDimension: 6))
        }
    }
}

/// The middle one of some numbers, the upper where there are two.
func median(_ numbers: [Double]) -> Double { numbers.sorted()[numbers.count / 2] }
