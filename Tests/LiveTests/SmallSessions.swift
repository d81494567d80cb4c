import Environments
import Episodes
import Live
import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// A model of random weights for an environment: it plans, and knows nothing.
func randomModel(for environment: any SimulatedEnvironment, goals: Bool = false) -> Checkpoint {
    let layout = environment.specification.layout
    var configuration = TransformerConfiguration(layout: layout, contextTransitions: 4)
    configuration.binCount = 12
    configuration.layerCount = 1
    configuration.headCount = 1
    configuration.embeddingWidth = 16
    let columns = goals ? environment.specification.goalColumns : nil
    configuration.goalDimension = columns?.count ?? 0
    var settings = TokenizedDataset.Settings()
    settings.discount = 0.9
    settings.goalColumns = columns
    let width = layout.transitionDimension
    return Checkpoint(
        model: TrajectoryTransformer(configuration, seed: 3),
        discretizer: Discretizer(
            strategy: .uniform,
            edges: (0...12).flatMap { edge in (0..<width).map { _ in Double(edge) / 6 - 1 } },
            dimension: width, binCount: 12),
        tokenization: settings)
}

/// A small search.
let smallSearch = {
    var options = PlannerOptions(.quick)
    options.horizon = 3
    options.beamWidth = 4
    options.replanInterval = 2
    options.contextTransitions = 2
    return options
}()

/// A session of such a model.
func randomSession(
    in name: String = "hopper", goals: Bool = false, seed: UInt64 = 1
) throws -> LiveSession {
    let environment = try EnvironmentRegistry.simulation(name)
    return try LiveSession(
        randomModel(for: environment, goals: goals), named: "random", in: environment,
        options: smallSearch, engine: CPUEngine(workers: 1), seed: seed)
}
