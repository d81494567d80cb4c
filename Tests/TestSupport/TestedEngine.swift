import CUDA
import EmulatedCUDA
import Foundation
public import Transformer
import TransformerCPU
import TransformerCUDA

/// An engine that whatever holds for any engine is tested on.
public struct TestedEngine: Sendable, CustomStringConvertible {
    /// The engine.
    public let engine: any Engine

    /// The engine's name.
    public var description: String { engine.name }

    /// Every engine of the package, those for cards on the emulated one.
    public static let all = cpu + emulated

    /// The processor with one and two workers, also where it has but one core.
    public static let cpu = [
        TestedEngine(engine: CPUEngine(workers: 1, sequencesPerPass: 3)),
        TestedEngine(engine: CPUEngine(workers: 2, sequencesPerPass: 1)),
    ]

    /// The kernels of a card, run by the processor on memory that is NaN until it is written; none
    /// where `TRAJECTORY_EMULATED_CARD` is `none`, for the thread sanitizer, which cannot follow the
    /// stacks that a card's threads have there.
    public static let emulated: [TestedEngine] = {
        guard ProcessInfo.processInfo.environment["TRAJECTORY_EMULATED_CARD"] != "none" else {
            return []
        }
        let driver = Driver(name: "emulated") { emulated_cuda_symbol($0) }
        guard let device = try? Device(driver: driver) else { return [] }
        return [TestedEngine(engine: CUDAEngine(device: device, precision: .exact))]
    }()
}

extension Engine {
    /// Logits at every position of `tokens` behind `goal`, as a decoder computes them.
    public func logits(
        _ model: TrajectoryTransformer, _ tokens: [Int], goal: [Int] = []
    ) throws -> [[Float]] {
        let decoder = try decoder(model)
        try decoder.begin(goals: [goal])
        let nodes = try decoder.extend(
            tokens.enumerated().map { position, token in
                PrefixNode(
                    parent: position == 0 ? .root : .node(position - 1), token: token,
                    needsOutput: true)
            })
        return nodes.map { decoder.logits(of: $0) }
    }

    /// A training engine for windows as long as the model sees, with the default options.
    public func training(_ model: TrajectoryTransformer) throws -> any TrainingEngine {
        try training(
            model,
            options: TrainingEngineOptions(windowLength: model.configuration.contextLength))
    }
}
