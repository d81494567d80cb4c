import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

@Suite struct GoalTrainingTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A point on a line that walks steadily to one of two ends, from the middle.
    private func dataset() throws -> TokenizedDataset {
        let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
        return try TokenizedDataset(
            LineWalks.trajectories(layout) { [$0 * $1] },
            settings: LineWalks.settings(goalColumns: [0]))
    }

    private func configuration(goalDimension: Int = 1) throws -> TransformerConfiguration {
        var result = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
            contextTransitions: 2)
        result.binCount = 15
        result.layerCount = 1
        result.headCount = 2
        result.embeddingWidth = 16
        result.goalDimension = goalDimension
        return result
    }

    private func train(_ name: String, steps: Int, resume: Bool = false) throws -> Trainer {
        let trainer = try Trainer(
            configuration(), dataset: dataset(), options: LineWalks.options(steps: steps),
            directory: folder.file(name), resume: resume, engine: .cpu(workers: 1))
        try trainer.run { _ in }
        return trainer
    }

    @Test func `the action in the middle is the one that leads to the goal`() throws {
        let data = try dataset()
        let model = try train("learns", steps: 300).model
        let middle = data.discretizer.token(for: 0, dimension: 0)
        for goal in [-7.0, 7] {
            let logits = try CPUTransformer(model).logits(
                [middle], goal: [data.discretizer.token(for: goal, dimension: 0)])[0]
            let best = try #require(logits.indices.max { logits[$0] < logits[$1] })
            #expect(data.discretizer.value(of: best, dimension: 1) * goal > 0, "goal \(goal)")
        }
    }

    @Test func `a resumed run draws the goals of an unbroken one, and the checkpoint knows them`()
        throws
    {
        let whole = try train("whole", steps: 20)
        _ = try train("parts", steps: 10)
        let resumed = try train("parts", steps: 20, resume: true)
        #expect(resumed.model.tensors().serialized() == whole.model.tensors().serialized())
        let checkpoint = try Checkpoint(directory: folder.file("parts"))
        #expect(checkpoint.goalColumns == [0])
        #expect(checkpoint.model.values == resumed.model.values)
    }

    @Test func `goals depend on seed and step, and differ from epoch to epoch`() throws {
        // A window's first token tells which it is.
        var trajectory = Trajectory(
            layout: TransitionLayout(observationDimension: 1, actionDimension: 1))
        for row in 0..<40 { trajectory.append(observation: [Float(row)], action: [0], reward: 0) }
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 2
        settings.binCount = 40
        settings.strategy = .uniform
        settings.goalColumns = [0]
        let windows = try TokenizedDataset([trajectory], settings: settings).windows
        func goals(seed: UInt64, step: Int) -> [Int32: Int32] {
            var sampler = WindowSampler(windows, seed: seed)
            var batch = TokenBatch(
                rows: windows.count, length: windows.length, goalDimension: 1)
            sampler.fill(&batch, step: step)
            return Dictionary(
                uniqueKeysWithValues: (0..<batch.rows).map {
                    (batch.inputs[$0 * batch.length], batch.goals[$0])
                })
        }
        #expect(goals(seed: 1, step: 3) == goals(seed: 1, step: 3))
        #expect(goals(seed: 1, step: 3) != goals(seed: 1, step: 4))
        #expect(goals(seed: 1, step: 3) != goals(seed: 2, step: 3))
    }

    @Test func `model and data must agree on goals`() throws {
        let error = #expect(throws: TrainingError.self) {
            try Trainer(
                configuration(goalDimension: 0), dataset: dataset(), options: TrainingOptions(),
                directory: folder.file("other"), engine: .cpu)
        }
        #expect(error?.description.contains("goalDimension") == true)
    }
}
