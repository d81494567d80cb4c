import Foundation
import Synchronization

/// Something that runs on a thread of its own beside a test that may wait for it.
///
/// Not a task: tests fill the threads on which tasks run, and a pipe's two ends must both be at work.
public final class InBackground<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    /// Begins.
    public init(_ body: @escaping @Sendable () throws -> Value) {
        Thread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            isDone.signal()
        }.start()
    }

    /// What came of it; waits for it, and may be asked once.
    public func value() throws -> Value {
        isDone.wait()
        guard let outcome = outcome.withLock(\.self) else {
            preconditionFailure("a thread that has ended has left nothing")
        }
        return try outcome.get()
    }
}
