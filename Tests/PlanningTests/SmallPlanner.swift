import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// A planner with random weights and bins of width 1 from 0 to 10.
enum SmallPlanner {
    static let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    static var discretizer: Discretizer { unitBins(10, dimension: 5) }

    static func make(_ change: (inout PlannerOptions) -> Void = { _ in }) throws -> Planner {
        var configuration = TransformerConfiguration(layout: layout)
        configuration.binCount = 10
        var options = PlannerOptions()
        options.horizon = 4
        options.beamWidth = 8
        change(&options)
        return try Planner(
            model: TrajectoryTransformer(configuration, seed: 1), discretizer: discretizer,
            options: options, critic: BinaryCritic(), engine: .cpu)
    }
}
