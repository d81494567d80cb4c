import Tokenization
import Transformer

/// A training engine that hands everything on to another; tests override what they watch or change.
class ForwardingLearner: TrainingEngine {
    let engine: any TrainingEngine

    init(_ engine: any TrainingEngine) {
        self.engine = engine
    }

    func loss(_ batch: TokenBatch) throws(EngineError) -> Double { try engine.loss(batch) }

    func lossAndGradient(
        _ batch: TokenBatch, dropoutStream: UInt64?
    ) throws(EngineError) -> Double {
        try engine.lossAndGradient(batch, dropoutStream: dropoutStream)
    }

    func gradient() throws(EngineError) -> [Float] { try engine.gradient() }

    func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
    ) throws(EngineError) {
        try engine.step(batch, rate: rate, dropoutStream: dropoutStream, exchange: exchange)
    }

    func summary() throws(EngineError) -> StepSummary { try engine.summary() }
    func state() throws(EngineError) -> EngineState { try engine.state() }
    func restore(_ state: EngineState) throws(EngineError) { try engine.restore(state) }
}
