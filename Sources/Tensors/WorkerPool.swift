import Bounds
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Threads that run the same closure side by side, one for each core.
///
/// Work comes in bursts of well under a millisecond (a token of a plan) to a second (a training
/// step), so workers wait by spinning for a moment before they sleep. Each computes sequences or
/// rows of its own, so that they seldom wait for one another.
package final class WorkerPool: @unchecked Sendable {
    /// One worker for each core this process may use.
    package static let shared = WorkerPool(count: Cores.available)

    /// Number of workers, the calling thread included.
    package let count: Int

    private let generation = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let sleeping = Atomic<Int>(0)
    private let arrived = Atomic<Int>(0)
    private let barrierGeneration = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let sleepers = SleepingThreads()
    private let turn = Mutex(())
    /// Written by the caller before `generation` grows, read by workers after they saw it grow.
    private var job: ((Int) -> Void)?

    private static let spins = 20_000

    /// Starts `count` - 1 threads; the thread that calls ``run(_:)`` is worker 0.
    package init(count: Int) {
        precondition(count >= 1, "a pool needs at least one worker")
        self.count = count
        for index in 1..<max(count, 1) {
            let worker = Worker(pool: Unmanaged.passUnretained(self))
            SystemThread.start { worker.loop(index) }
        }
    }

    deinit {
        // Wait for every thread to leave before the memory they look at goes away.
        stopping.store(true, ordering: .sequentiallyConsistent)
        running.store(count - 1, ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        sleepers.wake()
        while running.load(ordering: .acquiring) > 0 { usleep(100) }
    }

    /// Runs `body` once on every worker, with the worker's number, and returns when all are done.
    ///
    /// Calls from several threads take turns; a call from inside `body` is an error.
    package func run(_ body: (_ worker: Int) -> Void) {
        turn.withLock { _ in runInTurn(body) }
    }

    private func runInTurn(_ body: (_ worker: Int) -> Void) {
        guard count > 1 else { return body(0) }
        withoutActuallyEscaping(body) { body in
            job = body
            running.store(count - 1, ordering: .sequentiallyConsistent)
            generation.add(1, ordering: .sequentiallyConsistent)
            if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
                sleepers.wake()
            }
            body(0)
            WorkerPool.spin { running.load(ordering: .acquiring) == 0 }
            job = nil
        }
    }

    /// Inside ``run(_:)``: returns when every worker has called it.
    package func barrier() {
        guard count > 1 else { return }
        let current = barrierGeneration.load(ordering: .acquiring)
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.store(0, ordering: .relaxed)
            barrierGeneration.add(1, ordering: .releasing)
        } else {
            WorkerPool.spin { barrierGeneration.load(ordering: .acquiring) != current }
        }
    }

    /// The share of `items` that worker `worker` takes: contiguous, sizes differing by at most one.
    package func share(of items: Int, worker: Int) -> Range<Int> {
        (items * worker / count)..<(items * (worker + 1) / count)
    }

    private static func spin(until done: () -> Bool) {
        var tries = 0
        while !done() {
            tries += 1
            // The other workers may share this core: let them finish.
            if tries > spins { sched_yield() }
        }
    }

    /// What a thread runs; holds the pool without keeping it alive.
    private struct Worker: @unchecked Sendable {
        let pool: Unmanaged<WorkerPool>

        func loop(_ index: Int) {
            pool._withUnsafeGuaranteedRef { pool in
                var seen = 0
                while true {
                    pool.waitForWork(after: seen)
                    seen += 1
                    if pool.stopping.load(ordering: .acquiring) { break }
                    pool.job?(index)
                    pool.running.subtract(1, ordering: .acquiringAndReleasing)
                }
                pool.running.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
    }

    private func waitForWork(after seen: Int) {
        for _ in 0..<WorkerPool.spins where generation.load(ordering: .acquiring) != seen {
            return
        }
        // Counted before it looks whether to sleep, so that who adds work afterwards wakes it.
        sleeping.add(1, ordering: .sequentiallyConsistent)
        sleepers.sleep { generation.load(ordering: .sequentiallyConsistent) == seen }
        sleeping.subtract(1, ordering: .sequentiallyConsistent)
    }
}
