import CUDA
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

extension Checks {
    /// Losses, gradients and steps on the card and on the CPU, with dropout.
    mutating func checkTraining(_ device: Device, quick: Bool) {
        for precision in Precision.allCases {
            for (name, model, rows) in Self.trainedModels(quick: quick) {
                let isExact = precision == .exact
                run("training, \(precision.rawValue), \(name)") {
                    let options = TrainingEngineOptions(
                        windowLength: model.configuration.contextLength)
                    let expected = try CPUEngine().training(model, options: options)
                    let actual = try CUDAEngine(device: device, precision: precision)
                        .training(model, options: options)
                    let batch = RandomBatch.make(model.configuration, rows: rows, seed: 1)
                    let loss = try expected.lossAndGradient(batch, dropoutStream: 3)
                    let found = try actual.lossAndGradient(batch, dropoutStream: 3)
                    try Self.require(
                        abs(found / loss - 1), below: isExact ? 1e-5 : 0.01, "loss")
                    let error = Self.relativeError(
                        try actual.gradient(), try expected.gradient())
                    try Self.require(error, below: isExact ? 2e-5 : 0.05, "gradient")
                    for step in 0..<3 {
                        let batch = RandomBatch.make(
                            model.configuration, rows: rows, seed: UInt64(step))
                        for engine in [actual, expected] {
                            try engine.step(batch, rate: 1e-3, dropoutStream: UInt64(step))
                        }
                    }
                    let (mine, theirs) = (try actual.summary(), try expected.summary())
                    try Self.require(
                        abs(mine.lastLoss / theirs.lastLoss - 1), below: isExact ? 1e-4 : 0.02,
                        "loss after three steps")
                    return "loss \((found).digits(4)), gradient's error \(error.scientific), "
                        + "loss after steps \(mine.lastLoss.digits(4)) "
                        + "(CPU \(theirs.lastLoss.digits(4)))"
                }
            }
        }
        run("training repeats bit for bit") {
            let (_, model, rows) =
                Self.trainedModels(quick: quick).last ?? Self.trainedModels(quick: true)[0]
            let options = TrainingEngineOptions(windowLength: model.configuration.contextLength)
            let states = try (0..<2).map { _ in
                let engine = try CUDAEngine(device: device).training(model, options: options)
                for step in 0..<5 {
                    try engine.step(
                        RandomBatch.make(model.configuration, rows: rows, seed: UInt64(step)),
                        rate: 1e-3, dropoutStream: UInt64(step))
                }
                return try engine.state()
            }
            guard states[0] == states[1] else {
                throw Failure(description: "two runs of five steps differ")
            }
            return "two runs of five steps"
        }
    }

    /// Models that learn in checks, each with the windows of a batch.
    static func trainedModels(quick: Bool) -> [(String, TrajectoryTransformer, Int)] {
        let models = [
            ("small", TrajectoryTransformer(Self.small, seed: 1), 5),
            ("small with goals", TrajectoryTransformer(Self.smallWithGoals, seed: 2), 5),
        ]
        guard !quick else { return models }
        return models
            + DeviceShape.allCases.map {
                ($0.rawValue, TrajectoryTransformer($0.configuration, seed: 3), 32)
            }
    }
}
