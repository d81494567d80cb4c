public import ArgumentParser
public import Transformer
import TransformerCPU
import TransformerCUDA

extension Precision: ExpressibleByArgument {}

/// What computes the model: the processor, or an NVIDIA card.
struct EngineOptionsGroup: ParsableArguments {
    /// Where a model is computed.
    enum Device: String, CaseIterable, ExpressibleByArgument {
        case cpu, cuda, auto
    }

    @Option(
        help:
            "What computes the model: cpu, cuda (an NVIDIA card), or auto: a card if there is one.")
    var device = Device.cpu

    @Option(
        help:
            "Products: exact as float's, or fast with factors of 16 bits (bfloat16); on a processor fast needs AVX-512 BF16."
    )
    var precision = Precision.exact

    /// The card's engine; nil for the processor.
    ///
    /// - Throws: `EngineError` where a card is asked for and there is none.
    func card() throws -> (any Engine)? {
        switch device {
        case .cpu: return nil
        case .cuda: return try CUDAEngine(precision: precision)
        case .auto: return try? CUDAEngine(precision: precision)
        }
    }

    /// The engine that is asked for.
    func engine() throws -> any Engine {
        if let card = try card() { return card }
        return precision == .exact ? CPUEngine.cpu : try CPUEngine(precision: precision)
    }
}
