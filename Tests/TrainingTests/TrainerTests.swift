import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer

@Suite struct TrainerTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A little world: a point that an action pushes, logged for a few episodes.
    private func dataset(windowLength: Int = 4) throws -> TokenizedDataset {
        var generator = SeededGenerator(seed: 5)
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        let trajectories = (0..<12).map { episode in
            var trajectory = Trajectory(layout: layout)
            var position = generator.float(in: -1...1)
            var velocity: Float = 0
            for _ in 0..<30 {
                let action = -position + generator.float(in: -0.2...0.2)
                trajectory.append(
                    observation: [position, velocity], action: [action],
                    reward: -abs(position))
                velocity = 0.8 * velocity + 0.3 * action
                position += velocity
            }
            trajectory.ending = episode % 3 == 0 ? .terminal : .timeout
            return trajectory
        }
        var settings = TokenizedDataset.Settings()
        settings.windowLength = windowLength
        settings.binCount = 12
        return try TokenizedDataset(trajectories, settings: settings)
    }

    private func configuration(_ dataset: TokenizedDataset) -> TransformerConfiguration {
        var configuration = TransformerConfiguration(
            layout: dataset.windows.layout, contextTransitions: dataset.settings.windowLength)
        configuration.binCount = 12
        configuration.layerCount = 2
        configuration.headCount = 2
        configuration.embeddingWidth = 16
        return configuration
    }

    private func options(steps: Int) -> TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.batchSize = 8
        options.learningRate = 3e-3
        options.heldOutFraction = 0.2
        options.evaluationInterval = 10
        options.checkpointInterval = 10
        options.finalTokens = 10_000
        options.seed = 3
        options.workers = 2
        return options
    }

    private func train(
        _ name: String, steps: Int, resume: Bool = false,
        change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> (Trainer, [TrainingProgress]) {
        let data = try dataset()
        var options = options(steps: steps)
        change(&options)
        let trainer = try Trainer(
            configuration(data), dataset: data, options: options, directory: folder.file(name),
            environment: "point", resume: resume)
        var reports: [TrainingProgress] = []
        try trainer.run { reports.append($0) }
        return (trainer, reports)
    }

    @Test func `training lowers the held-out loss`() throws {
        let (_, reports) = try train("falls", steps: 200) { $0.finalTokens = nil }
        let losses = reports.compactMap(\.heldOutLoss)
        let first = try #require(losses.first)
        let last = try #require(losses.last)
        #expect(last < first - 0.4)
        #expect(reports.last?.step == 200)
    }

    @Test func `the same seed and worker count give the same weights bit for bit`() throws {
        let first = try train("first", steps: 15).0.model.tensors().serialized()
        let second = try train("second", steps: 15).0.model.tensors().serialized()
        #expect(first == second)
        let other = try train("third", steps: 15) { $0.seed = 4 }.0.model.tensors().serialized()
        #expect(first != other)
    }

    @Test func `a run that is stopped and resumed ends where an unbroken one does`() throws {
        let whole = try train("whole", steps: 30).0
        _ = try train("parts", steps: 10)
        let resumed = try train("parts", steps: 30, resume: true).0
        #expect(resumed.model.tensors().serialized() == whole.model.tensors().serialized())
        let steps = try MetricsLog.read(directory: folder.file("parts")).map(\.step)
        #expect(steps.contains(10) && steps.contains(30))
        #expect(steps == steps.sorted())
    }

    @Test func `a checkpoint brings back model, bins and settings`() throws {
        let (trainer, _) = try train("kept", steps: 10)
        let checkpoint = try Checkpoint(directory: folder.file("kept"))
        let data = try dataset()
        #expect(checkpoint.discretizer == data.discretizer)
        #expect(checkpoint.description.tokenization == data.settings)
        #expect(checkpoint.description.environment == "point")
        #expect(checkpoint.description.step == 10)
        let tokens = [1, 2, 3, 4, 5, 6]
        #expect(checkpoint.model.logits(tokens) == trainer.model.logits(tokens))
    }

    @Test func `an existing run is not overwritten, a missing one not resumed`() throws {
        _ = try train("there", steps: 10)
        let there = #expect(throws: CheckpointError.self) { try train("there", steps: 10) }
        #expect(there?.description.contains("--resume") == true)
        let missing = #expect(throws: CheckpointError.self) {
            try train("missing", steps: 10, resume: true)
        }
        #expect(missing?.code == .missing)
    }

    @Test func `a run is resumed with its own settings only, and the message names the other`()
        throws
    {
        _ = try train("settings", steps: 10)
        let error = #expect(throws: CheckpointError.self) {
            try train("settings", steps: 20, resume: true) { $0.batchSize = 16 }
        }
        #expect(error?.description.contains("training.batchSize 8, not 16") == true)
    }

    @Test func `a damaged description is refused, not taken for an empty folder`() throws {
        _ = try train("damaged", steps: 10)
        let file = folder.file("damaged").appendingPathComponent("checkpoint.json")
        try Data("{".utf8).write(to: file)
        let error = #expect(throws: CheckpointError.self) {
            try train("damaged", steps: 20, resume: true)
        }
        #expect(error?.code == .malformed)
        #expect(throws: CheckpointError.self) { try train("damaged", steps: 20) }
    }

    @Test func `weights cut short are refused with the file named`() throws {
        _ = try train("cut", steps: 10)
        let url = folder.file("cut").appendingPathComponent("weights-10.safetensors")
        let data = try Data(contentsOf: url)
        try data.prefix(data.count / 2).write(to: url)
        let error = #expect(throws: (any Error).self) {
            try Checkpoint(directory: folder.file("cut"))
        }
        #expect("\(try #require(error))".contains("weights-10.safetensors"))
    }

    @Test func `unusable options are refused by name`() throws {
        let error = #expect(throws: CheckpointError.self) {
            try train("options", steps: 10) { $0.learningRate = -1 }
        }
        #expect(error?.description.contains("learningRate") == true)
    }

    @Test func `every window is seen once an epoch`() throws {
        let windows = try dataset().windows
        var sampler = WindowSampler(windowCount: windows.count, seed: 9)
        var seen: [[Int32]: Int] = [:]
        var batch = TokenBatch(rows: windows.count / 2, length: windows.length)
        for step in 0..<2 {
            sampler.fill(&batch, from: windows, step: step)
            for row in 0..<batch.rows {
                let tokens = Array(batch.inputs[(row * batch.length)..<((row + 1) * batch.length)])
                seen[tokens, default: 0] += 1
            }
        }
        var expected: [[Int32]: Int] = [:]
        var single = TokenBatch(rows: 1, length: windows.length)
        for window in 0..<windows.count {
            windows.fill(&single, row: 0, window: window)
            expected[single.inputs, default: 0] += 1
        }
        #expect(seen.allSatisfy { $0.value <= expected[$0.key, default: 0] })
        #expect(seen.values.reduce(0, +) == 2 * (windows.count / 2))
    }
}
