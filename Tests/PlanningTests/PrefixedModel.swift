import Safetensors
import Testing
import Tokenization
import Trajectories
import Transformer

/// A model of two tokens in front and 8 bins, with random weights that are large enough that what
/// stands in front matters.
func prefixedModel(_ layout: TransitionLayout, seed: UInt64) throws -> TrajectoryTransformer {
    var configuration = TransformerConfiguration(layout: layout, contextTransitions: 4)
    configuration.binCount = 8
    configuration.layerCount = 2
    configuration.headCount = 2
    configuration.embeddingWidth = 16
    configuration.goalDimension = 2
    let fresh = TrajectoryTransformer(configuration, seed: seed)
    var weights = fresh.tensors()
    for name in fresh.parameterNames where !name.contains("ln") {
        let parameter = try #require(fresh.parameter(named: name))
        weights.set(name, parameter.values.map { $0 * 12 }, shape: parameter.shape)
    }
    return try TrajectoryTransformer(configuration, tensors: weights)
}

/// Bins of width 1 from 0 on, the same in every dimension.
func unitBins(_ count: Int, dimension: Int) -> Discretizer {
    Discretizer(
        strategy: .uniform,
        edges: (0...count).flatMap { Array(repeating: Double($0), count: dimension) },
        dimension: dimension, binCount: count)
}
