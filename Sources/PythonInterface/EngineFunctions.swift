import Bounds
import FoundationEssentials
import TransformerCPU

/// The processor's threads, shared by everything that is computed in a process.
final class EngineBox: Sendable {
    let engine: CPUEngine

    init(_ engine: CPUEngine) {
        self.engine = engine
    }
}

/// Starts the threads of an engine; 0 `workers` stands for one on each core.
///
/// They are its own, never those that the package's engines share by default: a process that was
/// forked has none of its parent's threads and starts an engine anew.
@c(trajectory_engine_new)
public func makeEngine(
    _ workers: Int, _ engine: UnsafeMutablePointer<Handle?>, _ text: TextPlace
) -> Int32 {
    answer(text) {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        if let problem = Bound.workers.problem("workers", workers == 0 ? cores : workers) {
            throw Failure(.option, problem)
        }
        let made = CPUEngine(workers: workers == 0 ? cores : workers)
        engine.pointee = handle(EngineBox(made))
        return ["workers": made.workers]
    }
}
