import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer

/// Decision 0004, which every engine follows to the element.
@Suite struct DropoutDefinitionTests {
    private func model(goals: Int, _ change: (inout TransformerConfiguration) -> Void)
        -> TrajectoryTransformer
    {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
            contextTransitions: 7)
        configuration.binCount = 6
        configuration.layerCount = 2
        configuration.headCount = 2
        configuration.embeddingWidth = 16
        configuration.goalDimension = goals
        configuration.embeddingDropout = 0
        configuration.attentionDropout = 0
        configuration.residualDropout = 0
        change(&configuration)
        // Large weights, so that it matters what is dropped.
        let fresh = TrajectoryTransformer(configuration, seed: 11)
        return TrajectoryTransformer(configuration, values: fresh.values.map { 6 * $0 })
    }

    private func batch(_ model: TrajectoryTransformer, firstRow: Int, totalRows: Int) -> TokenBatch
    {
        // Shorter than the model sees: numbers of attention count the longest sequence.
        var batch = TokenBatch(
            rows: 3, length: 40, goalDimension: model.configuration.goalDimension,
            firstRow: firstRow, totalRows: totalRows)
        var generator = SeededGenerator(seed: 12)
        for index in batch.inputs.indices {
            batch.inputs[index] = Int32.random(in: 0...6, using: &generator)
            batch.targets[index] = Int32.random(in: 0...6, using: &generator)
            batch.mask[index] = UInt8.random(in: 0...1, using: &generator)
        }
        for index in batch.goals.indices {
            batch.goals[index] = Int32.random(in: 0...5, using: &generator)
        }
        return batch
    }

    private static let places: [(String, @Sendable (inout TransformerConfiguration) -> Void)] = [
        ("embedding", { $0.embeddingDropout = 0.4 }),
        ("attention", { $0.attentionDropout = 0.4 }),
        ("residual", { $0.residualDropout = 0.4 }),
    ]

    @Test(arguments: TestedEngine.all, [0, 2])
    func `each place drops the elements that the definition numbers so`(
        _ tested: TestedEngine, goals: Int
    ) throws {
        print("seed 12")
        var losses: Set<Double> = []
        for (name, change) in Self.places {
            let model = model(goals: goals, change)
            for (firstRow, totalRows) in [(0, 3), (5, 9)] {
                let batch = batch(model, firstRow: firstRow, totalRows: totalRows)
                let engine = try tested.engine.training(
                    model, options: TrainingEngineOptions(windowLength: 40))
                let loss = try engine.lossAndGradient(batch, dropoutStream: 21)
                let expected = PlainTransformer(model, stream: 21).loss(batch)
                #expect(abs(loss / expected - 1) < 1e-5, "\(name), rows from \(firstRow)")
                losses.insert(loss * Double(totalRows))
                #expect(abs(try engine.loss(batch) / expected - 1) > 1e-4, "\(name)")
            }
        }
        // Other rows drop other elements.
        #expect(losses.count == 6)
    }
}
