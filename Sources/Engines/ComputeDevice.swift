public import Transformer
import TransformerCPU
import TransformerCUDA

/// What a model may be computed on.
///
///     let engine = try ComputeDevice.auto.engine()
///     let planner = try Planner(checkpoint: checkpoint, options: .init(.quick), engine: engine)
public enum ComputeDevice: String, Sendable, Hashable, CaseIterable {
    /// The processor.
    case cpu
    /// An NVIDIA card.
    case cuda
    /// A card if there is one that can be used, else the processor.
    case auto

    /// The card's engine; nil where it is the processor that computes.
    ///
    /// - Throws: `EngineError` where a card is asked for and there is none.
    public func card(precision: Precision = .exact) throws(EngineError) -> (any Engine)? {
        switch self {
        case .cpu: return nil
        case .cuda: return try CUDAEngine(precision: precision)
        case .auto: return try? CUDAEngine(precision: precision)
        }
    }

    /// The engine.
    ///
    /// - Parameters:
    ///   - workers: Threads of the processor; nil for the shared ones, one on each core. A card has
    ///     none.
    ///   - precision: How products are computed.
    /// - Returns: The card's engine or the processor's.
    /// - Throws: `EngineError` where a card is asked for and there is none, or the processor cannot
    ///   compute so.
    public func engine(
        workers: Int? = nil, precision: Precision = .exact
    ) throws(EngineError) -> any Engine {
        if let card = try card(precision: precision) { return card }
        guard workers != nil || precision != .exact else { return CPUEngine.cpu }
        return try CPUEngine(workers: workers, precision: precision)
    }
}
