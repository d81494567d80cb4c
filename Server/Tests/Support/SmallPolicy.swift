package import Planning
import Tokenization
package import Trajectories
import Transformer
import TransformerCPU

/// A planner with random weights and bins of width 1 from 0 to 10.
package enum SmallPolicy {
    package static let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    package static func planner(goalColumns: [Int] = [], horizon: Int = 3) throws -> Planner {
        var configuration = TransformerConfiguration(layout: layout)
        configuration.binCount = 10
        configuration.layerCount = 1
        configuration.headCount = 1
        configuration.embeddingWidth = 16
        configuration.goalDimension = goalColumns.count
        var options = PlannerOptions()
        options.horizon = horizon
        options.beamWidth = 4
        return try Planner(
            model: TrajectoryTransformer(configuration, seed: 1),
            discretizer: Discretizer(
                strategy: .uniform,
                edges: (0...10).flatMap { Array(repeating: Double($0), count: 5) },
                dimension: 5, binCount: 10),
            goalColumns: goalColumns, options: options, engine: .cpu)
    }
}
