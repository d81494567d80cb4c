public import CUDA
import Tensors
public import Tokenization
import Trajectories
public import Transformer

/// A model that learns on a card.
///
/// Parameters, moments, gradients and activations stay there; a step sends eight bytes a token and
/// asks for one graph, and loss and norm are read when ``summary()`` is asked for. The same model,
/// batches and streams give the same parameters bit for bit, on every run and every card of one
/// architecture.
public final class CUDATrainingEngine: TrainingEngine {
    private let configuration: TransformerConfiguration
    private let places: TransformerParameters
    private let options: TrainingEngineOptions
    private let shape: KernelShape
    private let name: String
    private let stream: Stream
    private let kernels: TrainingKernels
    private let parameters: TrainingParameters
    private let muon: MuonPass?
    private let upload: UploadRing
    private var memory: TrainingMemory?
    private var passes: [Int: Recorded] = [:]
    private var updates = 0
    private var latest = StepSummary()

    /// The graphs of one batch size.
    private final class Recorded {
        let pass: TrainingPass
        /// The sums of squares of each chunk of the gradient.
        let squares: Buffer<Double>
        var loss: Graph?
        var gradient: Graph?
        var step: Graph?
        var update: Graph?

        init(_ pass: TrainingPass, on device: Device) throws(CUDAError) {
            self.pass = pass
            squares = try Buffer(count: pass.parts.count, on: device)
        }
    }

    /// A copy of `model` on `device` that learns.
    ///
    /// - Throws: `EngineError` where the card cannot compute or hold such a model.
    public init(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions, on device: Device,
        precision: Precision
    ) throws(EngineError) {
        let name = "\(device.name), \(precision.rawValue)"
        guard 1...model.configuration.contextLength ~= options.windowLength else {
            throw EngineError(
                code: .mismatch, engine: name,
                detail: "windows of \(options.windowLength) tokens do not fit a model that sees "
                    + "\(model.configuration.contextLength)")
        }
        let shape = KernelShape(
            model.configuration, windowLength: options.windowLength, precision: precision)
        if let problem = shape.trainingProblem ?? options.muon?.problem {
            throw EngineError(code: .unsupported, engine: name, detail: problem)
        }
        self.name = name
        self.shape = shape
        self.options = options
        configuration = model.configuration
        places = model.parameters
        do {
            stream = try Stream(device)
            kernels = try TrainingKernels(shape, on: device)
            parameters = try TrainingParameters(shape, count: model.parameterCount, on: device)
            muon =
                if let muon = options.muon {
                    try MuonPass(
                        muon, shape, places: places, kernels: kernels.muon, stream)
                } else { nil }
            upload = UploadRing(stream)
            let dimension = model.configuration.layout.transitionDimension
            try stream.write(
                (0..<options.windowLength).map {
                    model.configuration.lossWeight(ofDimension: ($0 + 1) % dimension)
                }, to: parameters.lossWeights)
            try stream.fill(parameters.firstMoment)
            try stream.fill(parameters.secondMoment)
            try stream.fill(parameters.gradient)
            try stream.fill(parameters.totals)
            try stream.fill(parameters.otherTotals)
            try stream.write(model.values, to: parameters.values)
            try Self.lower(parameters, kernels, stream)
        } catch {
            throw EngineError(error, engine: name)
        }
    }

    // MARK: - Losses and gradients

    /// The loss of a batch without dropout; nothing is learnt.
    public func loss(_ batch: TokenBatch) throws(EngineError) -> Double {
        try requireMatch(batch)
        guard batch.rows > 0 else { return 0 }
        return try onCard { () throws(CUDAError) in
            let recorded = try prepare(batch, stream: nil, rate: 0)
            let graph = try record(\.loss, recorded) { pass throws(CUDAError) in
                try pass.forward(stream)
                try pass.sumLoss(squares: recorded.squares, stream)
            }
            try stream.launch(graph)
            return try loss()
        }
    }

    /// The loss of a batch, and its gradient for ``gradient()``; nothing is learnt.
    public func lossAndGradient(
        _ batch: TokenBatch, dropoutStream: UInt64?
    ) throws(EngineError) -> Double {
        try requireMatch(batch)
        return try onCard { () throws(CUDAError) in
            try computeGradient(batch, dropoutStream: dropoutStream, rate: 0)
            return batch.rows > 0 ? try loss() : 0
        }
    }

    /// The last gradient, one number for each parameter.
    public func gradient() throws(EngineError) -> [Float] {
        try onCard { () throws(CUDAError) in try stream.read(parameters.gradient) }
    }

    private func computeGradient(
        _ batch: TokenBatch, dropoutStream: UInt64?, rate: Double
    ) throws(CUDAError) {
        guard batch.rows > 0 else { return try stream.fill(parameters.gradient) }
        let recorded = try prepare(batch, stream: dropoutStream, rate: rate)
        let graph = try record(\.gradient, recorded) { pass throws(CUDAError) in
            try pass.forward(stream)
            try pass.backward(stream)
            try pass.reduce(squares: recorded.squares, stream)
            try pass.sumLoss(squares: recorded.squares, stream)
        }
        try stream.launch(graph)
    }

    /// The loss that the last graph without an update left.
    private func loss() throws(CUDAError) -> Double {
        Double(bitPattern: try stream.read(parameters.otherTotals, 1..<2)[0])
    }

    // MARK: - Steps

    /// One step: forward, backward, the exchange, clipping, the optimizer.
    ///
    /// Returns before the card is done, unless there is an exchange.
    public func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
    ) throws(EngineError) {
        try requireMatch(batch)
        updates += 1
        guard let exchange else {
            guard batch.rows > 0 else {
                throw EngineError(
                    code: .mismatch, engine: name, detail: "a batch has no windows")
            }
            return try onCard { () throws(CUDAError) in
                let recorded = try prepare(batch, stream: dropoutStream, rate: rate)
                let graph = try record(\.step, recorded) { pass throws(CUDAError) in
                    try pass.forward(stream)
                    try pass.backward(stream)
                    try pass.reduce(squares: recorded.squares, stream)
                    try pass.update(squares: recorded.squares, stream)
                }
                try stream.launch(graph)
            }
        }
        try onCard { () throws(CUDAError) in
            try computeGradient(batch, dropoutStream: dropoutStream, rate: rate)
        }
        var gradient = try gradient()
        var span = gradient.mutableSpan
        try exchange(&span)
        try onCard { () throws(CUDAError) in
            try stream.write(gradient, to: parameters.gradient)
            let recorded = try prepare(batch, stream: dropoutStream, rate: rate)
            if batch.rows == 0, let memory { try stream.fill(memory.losses) }
            let graph = try record(\.update, recorded) { pass throws(CUDAError) in
                try pass.sumSquares(recorded.squares, stream)
                try pass.update(squares: recorded.squares, stream)
            }
            try stream.launch(graph)
        }
    }

    /// What the steps since the last call brought; waits for them.
    public func summary() throws(EngineError) -> StepSummary {
        let words = try onCard { () throws(CUDAError) in
            let words = try stream.read(parameters.totals)
            try stream.fill(parameters.totals)
            return words
        }
        let steps = Int(words[3] & 0xFFFF_FFFF)
        let finite = Int(words[3] >> 32)
        latest.steps = steps
        latest.lossSum = Double(bitPattern: words[0])
        latest.finiteSteps = finite == steps ? nil : finite
        if steps > 0 {
            latest.lastLoss = Double(bitPattern: words[1])
            latest.lastGradientNorm = Double(bitPattern: words[2])
        }
        return latest
    }

    // MARK: - State

    /// The parameters and the optimizer's state after all steps so far.
    public func state() throws(EngineError) -> EngineState {
        try onCard { () throws(CUDAError) in
            EngineState(
                parameters: try stream.read(parameters.values),
                firstMoment: try stream.read(parameters.firstMoment),
                secondMoment: try stream.read(parameters.secondMoment), updates: updates)
        }
    }

    /// Goes on from a state of this or another engine of the same model.
    public func restore(_ state: EngineState) throws(EngineError) {
        let count = places.layout.count
        for (part, numbers) in [
            ("parameters", state.parameters), ("first moments", state.firstMoment),
            ("second moments", state.secondMoment),
        ] where numbers.count != count {
            throw EngineError(
                code: .mismatch, engine: name,
                detail: "a state of \(numbers.count) \(part) is not of a model of \(count) "
                    + "parameters")
        }
        try onCard { () throws(CUDAError) in
            try stream.write(state.parameters, to: parameters.values)
            try stream.write(state.firstMoment, to: parameters.firstMoment)
            try stream.write(state.secondMoment, to: parameters.secondMoment)
            try Self.lower(parameters, kernels, stream)
        }
        updates = state.updates
    }

    // MARK: - What calls have in common

    private func requireMatch(_ batch: TokenBatch) throws(EngineError) {
        if let problem = batch.problem(for: configuration, windowLength: options.windowLength) {
            throw EngineError(code: .mismatch, engine: name, detail: problem)
        }
    }

    private func onCard<Result>(
        _ body: () throws(CUDAError) -> Result
    ) throws(EngineError) -> Result {
        do {
            return try body()
        } catch {
            throw EngineError(error, engine: name)
        }
    }

    /// Sends a batch and what is particular to its step.
    private func prepare(
        _ batch: TokenBatch, stream dropoutStream: UInt64?, rate: Double
    ) throws(CUDAError) -> Recorded {
        let recorded = try recorded(sequences: max(batch.rows, 1))
        guard let memory else { return recorded }
        let values = StepValues(
            options: options, rate: rate, update: max(updates, 1),
            divisor: Float(batch.totalRows * batch.length),
            firstSequence: batch.firstRow,
            dropout: dropoutStream.map {
                DropoutPlan(configuration: configuration, stream: $0)
            } ?? .none, layers: configuration.layerCount)
        try upload.send(memory.layout.count, to: memory.batch) { words in
            memory.layout.write(values, to: words)
            memory.layout.write(batch, to: words)
        }
        return recorded
    }

    /// The graphs for batches of so many windows; more memory where they are more than ever.
    private func recorded(sequences: Int) throws(CUDAError) -> Recorded {
        if let recorded = passes[sequences] { return recorded }
        if sequences > memory?.sequences ?? 0 {
            // Graphs name the old memory.
            try stream.synchronize()
            passes = [:]
            memory = nil
        }
        let memory =
            if let kept = self.memory { kept } else {
                try TrainingMemory(shape, sequences: sequences, on: stream.device)
            }
        self.memory = memory
        let recorded = try Recorded(
            TrainingPass(
                shape, sequences: sequences, kernels: kernels, parameters: parameters,
                places: places, memory: memory, muon: muon, stream), on: stream.device)
        passes[sequences] = recorded
        return recorded
    }

    /// A graph of the pass, recorded when it is first wanted.
    private func record(
        _ graph: ReferenceWritableKeyPath<Recorded, Graph?>, _ recorded: Recorded,
        _ body: (TrainingPass) throws(CUDAError) -> Void
    ) throws(CUDAError) -> Graph {
        if let made = recorded[keyPath: graph] { return made }
        let made = try stream.capture { () throws(CUDAError) in try body(recorded.pass) }
        recorded[keyPath: graph] = made
        return made
    }

    /// Writes the parameters as products take them.
    private static func lower(
        _ parameters: TrainingParameters, _ kernels: TrainingKernels, _ stream: Stream
    ) throws(CUDAError) {
        guard let lowered = parameters.lowered else { return }
        try stream.launch(
            kernels.lowerParameters,
            grid: (groups(of: lowered.count, TrainingKernels.updateThreads), 1),
            threads: TrainingKernels.updateThreads, lowered, parameters.values,
            Int32(lowered.count))
    }
}
