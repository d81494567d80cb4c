import Bounds
import Engines
import FoundationEssentials
import Transformer
import TransformerCPU

/// The processor's threads or a card, shared by everything that is computed in a process.
final class EngineBox: Sendable {
    let engine: any Engine
    /// Threads of the processor; nil for a card.
    let workers: Int?

    init(_ engine: any Engine) {
        self.engine = engine
        workers = (engine as? CPUEngine)?.workers
    }
}

/// Starts an engine; 0 `workers` stands for a thread of the processor on each core.
///
/// `device` and `precision` are names of `ComputeDevice` and of `Precision`.
/// They are its own, never those that the package's engines share by default: a process that was
/// forked has none of its parent's threads and starts an engine anew.
@c(trajectory_engine_new)
public func makeEngine(
    _ workers: Int, _ device: UnsafePointer<CChar>, _ precision: UnsafePointer<CChar>,
    _ engine: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let cores = Cores.available
        if let problem = Bound.workers.problem("workers", workers == 0 ? cores : workers) {
            throw Failure(.option, problem)
        }
        let device: ComputeDevice = try choice("device", String(cString: device))
        guard workers == 0 || device != .cuda else {
            throw Failure(
                option: "workers", value: "\(workers)",
                remedy: "a card has none; leave it out, or let the device be 'cpu' or 'auto'")
        }
        let made = EngineBox(
            try device.engine(
                workers: workers == 0 ? cores : workers,
                precision: choice("precision", String(cString: precision))))
        engine.pointee = handle(made)
        return ["name": made.engine.name]
    }
}
