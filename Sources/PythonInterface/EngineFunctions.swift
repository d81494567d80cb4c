import Bounds
import FoundationEssentials
import Transformer
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
/// `precision` is one of `Precision`'s names.
/// They are its own, never those that the package's engines share by default: a process that was
/// forked has none of its parent's threads and starts an engine anew.
@c(trajectory_engine_new)
public func makeEngine(
    _ workers: Int, _ precision: UnsafePointer<CChar>, _ engine: UnsafeMutablePointer<Handle?>,
    _ text: TextPlace
) -> Int32 {
    answer(text) {
        let cores = Cores.available
        if let problem = Bound.workers.problem("workers", workers == 0 ? cores : workers) {
            throw Failure(.option, problem)
        }
        let name = String(cString: precision)
        guard let precision = Precision(rawValue: name) else {
            let names = Precision.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                option: "precision", value: "'\(name)'", remedy: "give one of \(names)")
        }
        let made = try CPUEngine(
            workers: workers == 0 ? cores : workers, precision: precision)
        engine.pointee = handle(EngineBox(made))
        return ["workers": made.workers]
    }
}
