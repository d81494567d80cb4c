import Foundation
import Safetensors
import Synchronization
import TestSupport
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Small runs on logged episodes of a point that an action pushes, each in a folder of its own.
struct PointRuns {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A little world: a point that an action pushes, logged for a few episodes.
    static func trajectories() -> [Trajectory] {
        var generator = SeededGenerator(seed: 5)
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        return (0..<12).map { episode in
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
    }

    static func dataset(
        windowLength: Int = 4, strategy: Discretizer.Strategy = .quantile
    ) throws -> TokenizedDataset {
        try TokenizedDataset(
            trajectories(), settings: settings(windowLength: windowLength, strategy: strategy))
    }

    /// The same as a token file.
    static func writeTokens(to url: URL) throws {
        let trajectories = Self.trajectories()
        try TokenFile.write(
            EpisodeList(layout: trajectories[0].layout, trajectories: trajectories),
            settings: settings(),
            source: .init(name: "point", format: "test"),
            to: url)
    }

    private static func settings(
        windowLength: Int = 4, strategy: Discretizer.Strategy = .quantile
    ) -> TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.windowLength = windowLength
        settings.binCount = 12
        settings.strategy = strategy
        return settings
    }

    static func configuration(_ dataset: TokenizedDataset) -> TransformerConfiguration {
        var configuration = TransformerConfiguration(
            layout: dataset.windows.layout, contextTransitions: dataset.settings.windowLength)
        configuration.binCount = 12
        configuration.layerCount = 2
        configuration.headCount = 2
        configuration.embeddingWidth = 16
        return configuration
    }

    static func options(steps: Int) -> TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.batchSize = 8
        options.learningRate = 3e-3
        options.heldOutFraction = 0.2
        options.evaluationInterval = 10
        options.checkpointInterval = 10
        options.finalTokens = 10_000
        options.seed = 3
        return options
    }

    func trainer(
        _ name: String, steps: Int, resume: Bool = false, on engine: any Engine = CPUEngine.cpu,
        change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let data = try Self.dataset()
        var options = Self.options(steps: steps)
        change(&options)
        return try Trainer(
            Self.configuration(data), dataset: data, options: options,
            directory: folder.file(name), environment: "point", resume: resume, engine: engine)
    }

    func train(
        _ name: String, steps: Int, resume: Bool = false, on engine: any Engine = CPUEngine.cpu,
        change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> (trainer: Trainer, reports: [TrainingProgress]) {
        let trainer = try trainer(name, steps: steps, resume: resume, on: engine, change: change)
        var reports: [TrainingProgress] = []
        // Reports that come by the clock would differ from run to run.
        try trainer.run(reportEvery: .seconds(3600)) { reports.append($0) }
        return (trainer, reports)
    }

    /// Moments of 0 for a trainer's model.
    func moments(of trainer: Trainer) -> SafetensorsFile {
        var file = SafetensorsFile()
        let zeros = [Float](repeating: 0, count: trainer.model.parameterCount)
        for name in ["first_moment", "second_moment"] {
            file.set(name, zeros, shape: [zeros.count])
        }
        return file
    }
}

/// The processor's engine, which keeps the batches that it is given.
struct SeeingEngine: Engine {
    final class Batches {
        var all: [TokenBatch] = []
    }

    nonisolated(unsafe) let batches = Batches()
    var name: String { "seeing" }

    func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine {
        Learner(try CPUEngine.cpu.training(model, options: options), batches)
    }

    func decoder(_ model: TrajectoryTransformer) throws(EngineError) -> any PrefixTreeModel {
        try CPUEngine.cpu.decoder(model)
    }

    private final class Learner: ForwardingLearner {
        let batches: Batches

        init(_ engine: any TrainingEngine, _ batches: Batches) {
            self.batches = batches
            super.init(engine)
        }

        override func step(
            _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
        ) throws(EngineError) {
            batches.all.append(batch)
            try super.step(batch, rate: rate, dropoutStream: dropoutStream, exchange: exchange)
        }
    }
}

/// Something that happens once, told from one thread to another.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
