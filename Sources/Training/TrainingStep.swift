internal import Foundation
internal import Layers
internal import Safetensors
internal import Tensors
public import Tokenization
public import Transformer

/// One step of training: forward, backward, clipping, AdamW.
public final class TrainingStep {
    /// What a step tells.
    public struct Result: Sendable {
        /// Weighted cross entropy of the batch, with dropout.
        public let loss: Double
        /// Norm of the gradient before clipping.
        public let gradientNorm: Float
    }

    /// The model being trained.
    public let model: TrajectoryTransformer
    private let evaluator: LossEvaluator
    private let gradientLimit: Float
    private var optimizer: AdamW

    /// Prepares to train `model` on windows of `windowLength` tokens.
    ///
    /// Gradients of a norm above `gradientLimit` are scaled down to it; `weightDecay` applies to the
    /// weight matrices. Computes with `workers` threads, nil meaning one for each core, each of which
    /// passes `sequencesPerPass` windows through the model together.
    public init(
        _ model: TrajectoryTransformer, windowLength: Int, gradientLimit: Float = 1,
        weightDecay: Float = 0.1, workers: Int? = nil, sequencesPerPass: Int = 4
    ) {
        self.model = model
        self.gradientLimit = gradientLimit
        evaluator = LossEvaluator(
            model, length: windowLength, workers: workers, sequencesPerPass: sequencesPerPass)
        var settings = AdamW.Settings()
        settings.weightDecay = weightDecay
        optimizer = AdamW(model.parameters.layout, settings: settings)
    }

    /// Trains on one batch at learning rate `rate`.
    ///
    /// Which elements dropout zeroes depends on `dropoutStream` alone.
    public func run(_ batch: TokenBatch, rate: Double, dropoutStream: UInt64) -> Result {
        let loss = evaluator.lossAndGradient(batch, dropoutStream: dropoutStream)
        let norm = evaluator.update(
            with: &optimizer, rate: Float(rate), gradientLimit: gradientLimit)
        return Result(loss: loss, gradientNorm: norm)
    }

    /// Whether the parts of steps are timed; setting it starts anew.
    public var isProfiling: Bool {
        get { evaluator.isProfiling }
        set { evaluator.isProfiling = newValue }
    }

    /// Where time went since ``isProfiling`` was set.
    public var profile: StepProfile { evaluator.profile }

    /// The loss of a batch without dropout; nothing is learnt.
    public func loss(_ batch: TokenBatch) -> Double {
        evaluator.loss(batch)
    }

    /// The optimizer's moments, to resume from.
    func optimizerState() -> SafetensorsFile {
        var file = SafetensorsFile(name: "optimizer")
        let shape = [model.parameterCount]
        file.set("first_moment", optimizer.firstMoment.values, shape: shape)
        file.set("second_moment", optimizer.secondMoment.values, shape: shape)
        return file
    }

    /// Puts back the optimizer's moments after `step` updates.
    func restore(from url: URL, step: Int) throws {
        let file = try SafetensorsFile(contentsOf: url)
        for (name, storage) in [
            ("first_moment", optimizer.firstMoment), ("second_moment", optimizer.secondMoment),
        ] {
            let values = try file.floats(name)
            guard values.count == storage.count else {
                throw SafetensorsError(
                    code: .wrongShape, file: url.path, tensor: name,
                    detail: "expected \(storage.count) numbers, found \(values.count)")
            }
            storage.write(values)
        }
        optimizer.step = step
    }
}
