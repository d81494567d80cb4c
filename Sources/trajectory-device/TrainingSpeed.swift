import CUDA
import RandomNumbers
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCUDA

/// The speed of full training steps: forward, backward, clipping, update, dropout as in the paper.
struct TrainingSpeed: Encodable, CustomStringConvertible {
    var shape: String
    var precision: String
    var optimizer: TrainingOptions.Optimizer
    /// Windows in a batch.
    var batch: Int
    var tokensPerStep: Int
    var secondsPerStep: Double
    var tokensPerSecond: Double
    /// Operations a second of products and attention, forward and backward.
    var operationsPerSecond: Double

    /// Times groups of steps from an idle card to an idle card; the median group counts.
    init(
        on device: Device, shape: DeviceShape, precision: Precision, batch: Int,
        optimizer: TrainingOptions.Optimizer, seconds: Double = 0.4
    ) throws {
        let configuration = shape.configuration
        let length = configuration.contextLength
        var options = TrainingEngineOptions(windowLength: length)
        if optimizer == .muon { options.muon = MuonOptions() }
        let engine = try CUDAEngine(device: device, precision: precision).training(
            TrajectoryTransformer(configuration, seed: 0), options: options)
        let batches = (0..<4).map { RandomBatch.make(configuration, rows: batch, seed: $0) }
        func steps(_ count: Int) throws -> Double {
            let start = ContinuousClock.now
            for step in 0..<count {
                try engine.step(batches[step % 4], rate: 1e-4, dropoutStream: UInt64(step))
            }
            _ = try engine.summary()
            return (ContinuousClock.now - start) / .seconds(1)
        }
        _ = try steps(4)
        let one = try steps(8) / 8
        let group = min(max(Int(0.05 / one), 4), 200)
        var times: [Double] = []
        let end = ContinuousClock.now + .seconds(seconds)
        while times.count < 3 || ContinuousClock.now < end {
            times.append(try steps(group) / Double(group))
        }
        secondsPerStep = times.sorted()[times.count / 2]
        self.shape = shape.rawValue
        self.precision = precision.rawValue
        self.optimizer = optimizer
        self.batch = batch
        tokensPerStep = batch * length
        tokensPerSecond = Double(tokensPerStep) / secondsPerStep
        operationsPerSecond = tokensPerSecond * Self.operationsPerToken(configuration)
    }

    /// Multiplications and additions for a token: three times those of the forward pass, which are
    /// two for each weight of a product and for each channel of the keys and values that a token
    /// sees, on average half of them.
    private static func operationsPerToken(_ configuration: TransformerConfiguration) -> Double {
        let width = Double(configuration.embeddingWidth)
        let dimension = Double(configuration.layout.transitionDimension)
        let seen = Double(configuration.contextLength) / 2 * (dimension - 1) / dimension
        let layer = 12 * width * width + 2 * width * seen
        let head = width * Double(configuration.vocabularySize)
        return 6 * (Double(configuration.layerCount) * layer + head)
    }

    /// How much longer a step takes than that of `other`, where that is another optimizer's.
    func beside(_ other: TrainingSpeed) -> String {
        guard other.optimizer != optimizer else { return "" }
        let (mine, theirs) = (secondsPerStep * 1e6, other.secondsPerStep * 1e6)
        return ", \((mine - theirs).digits(0)) µs more than \(other.optimizer.rawValue): "
            + "\((100 * (mine / theirs - 1)).digits(1)) %"
    }

    var description: String {
        "training, \(shape), \(precision), \(optimizer.rawValue), batch \(batch): "
            + "\((tokensPerSecond * 1e-6).digits(3)) M tokens/s, "
            + "\((secondsPerStep * 1e3).digits(3)) ms a step, "
            + "\((operationsPerSecond * 1e-12).digits(1)) TFLOP/s"
    }
}

/// Batches of random tokens.
enum RandomBatch {
    static func make(
        _ configuration: TransformerConfiguration, rows: Int, seed: UInt64
    ) -> TokenBatch {
        var generator = SplitMix64(seed: seed)
        func token() -> Int32 { Int32(generator.uniform() * Double(configuration.binCount)) }
        var batch = TokenBatch(
            rows: rows, length: configuration.contextLength,
            goalDimension: configuration.goalDimension)
        for index in batch.inputs.indices {
            batch.inputs[index] = token()
            batch.targets[index] = token()
        }
        for index in batch.goals.indices { batch.goals[index] = token() }
        return batch
    }
}
