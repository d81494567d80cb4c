import Bounds
import Tokenization
public import Training
public import Transformer
import TransformerCPU

/// Times full training steps of a model of the paper's size on random tokens.
public struct TrainingSpeedJob: Sendable {
    /// How fast it was.
    public struct Result: Sendable, Codable {
        /// Name of the shape.
        public var shape: String
        /// Windows in a batch, and tokens in all of them.
        public var batch, tokensPerStep: Int
        /// The median of the timed steps, and the speed that it means.
        public var secondsPerStep, tokensPerSecond: Double
        /// Where the time goes, if that was asked for.
        public var profile: StepReport?
    }

    /// The shape of a transition.
    public var shape = BenchmarkShape.hopper
    /// Windows in a batch.
    public var batch = 32
    /// What parameters learn by.
    public var optimizer = TrainingOptions.Optimizer.adamw
    /// Timed steps.
    public var steps = 15
    /// Worker threads; one for each core if nil.
    public var workers: Int?
    /// Windows that a worker passes through the model together.
    public var sequencesPerPass = 4
    /// Whether to say where the time goes; the processor alone can.
    public var profiles = false
    /// How precisely the processor computes products.
    public var precision = Precision.exact
    /// What computes the model; the processor if nil.
    public var engine: (any Engine)?

    /// Steps before the timed ones.
    private static let warmUp = 2

    /// A job; see the properties.
    public init() {}

    /// Times the steps.
    ///
    /// - Throws: `EngineError` when the engine fails.
    public func run() throws -> Result {
        try require(.batch, ["batch": batch, "sequencesPerPass": sequencesPerPass])
        try require(.episodes, ["steps": steps])
        try require(.workers, ["workers": workers])
        let configuration = shape.configuration
        let length = configuration.contextLength
        var generator = SystemRandomNumberGenerator()
        var data = TokenBatch(rows: batch, length: length)
        for index in data.inputs.indices {
            data.inputs[index] = Int32.random(in: 0..<100, using: &generator)
            data.targets[index] = Int32.random(in: 0..<100, using: &generator)
        }
        let model = TrajectoryTransformer(configuration, seed: 0)
        var options = TrainingEngineOptions(windowLength: length)
        options.muon = optimizer == .muon ? MuonOptions() : nil
        let profiled =
            engine == nil
            ? try CPUEngine(
                workers: workers, precision: precision, sequencesPerPass: sequencesPerPass
            ).trainingEngine(model, options: options) : nil
        let stepper: any TrainingEngine =
            if let profiled { profiled } else {
                try (engine ?? CPUEngine.cpu).training(model, options: options)
            }
        var seconds: [Double] = []
        for step in 0..<(steps + Self.warmUp) {
            if step == Self.warmUp { profiled?.isProfiling = profiles }
            let duration = try ContinuousClock().measure {
                try stepper.step(data, rate: 1e-4, dropoutStream: UInt64(step))
                // A device may still be at it.
                _ = try stepper.summary()
            }
            if step >= Self.warmUp { seconds.append(duration / .seconds(1)) }
        }
        let tokens = batch * length
        return Result(
            shape: shape.rawValue, batch: batch, tokensPerStep: tokens,
            secondsPerStep: median(seconds), tokensPerSecond: Double(tokens) / median(seconds),
            profile: profiles
                ? profiled.map {
                    StepReport(
                        $0.profile, configuration, steps: steps, windows: batch, length: length)
                } : nil)
    }
}
