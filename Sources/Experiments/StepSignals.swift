import Foundation
import Synchronization

/// Signals while a step runs: those that end a program end the step instead, so that its record is
/// written before the program ends.
enum StepSignals {
    /// The process of the step, 0 when none runs.
    private static let child = Atomic<Int32>(0)
    private static let signals = [SIGINT, SIGTERM]

    /// Starts a process and hands signals on to it until ``end()``.
    static func start(_ process: Process) throws {
        // A process inherits which signals are blocked, and on the threads of Swift's concurrency
        // most are.
        var none = sigset_t()
        var present = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &present)
        defer { pthread_sigmask(SIG_SETMASK, &present, nil) }
        try process.run()
        child.store(process.processIdentifier, ordering: .sequentiallyConsistent)
        for number in signals {
            signal(number) { _ in
                kill(StepSignals.child.load(ordering: .sequentiallyConsistent), SIGTERM)
            }
        }
    }

    /// Lets signals end the program again.
    static func end() {
        signals.forEach { signal($0, SIG_DFL) }
        child.store(0, ordering: .sequentiallyConsistent)
    }
}
