public import ArgumentParser
public import Engines
public import Transformer

extension Precision: ExpressibleByArgument {}
extension ComputeDevice: ExpressibleByArgument {}

/// What computes the model: the processor, or an NVIDIA card.
struct EngineOptionsGroup: ParsableArguments {
    @Option(
        help:
            "What computes the model: cpu, cuda (an NVIDIA card), or auto: a card if there is one.")
    var device = ComputeDevice.cpu

    @Option(
        help:
            "Products: exact as float's, or fast with factors of 16 bits (bfloat16); on a processor fast needs AVX-512 BF16."
    )
    var precision = Precision.exact

    /// The card's engine; nil for the processor.
    func card() throws -> (any Engine)? { try device.card(precision: precision) }

    /// The engine that is asked for.
    func engine() throws -> any Engine { try device.engine(precision: precision) }
}
