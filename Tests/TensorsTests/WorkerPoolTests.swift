import Synchronization
import Tensors
import Testing

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 5]) func `every worker runs once, and shares cover all items`(
        count: Int
    ) {
        let pool = WorkerPool(count: count)
        for items in [0, 1, 7, 100] {
            let visits = Mutex([Int](repeating: 0, count: items))
            pool.run { worker in
                let share = pool.share(of: items, worker: worker)
                visits.withLock { visits in share.forEach { visits[$0] += 1 } }
            }
            #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
        }
    }

    @Test func `nobody passes a barrier before everyone has reached it`() {
        let pool = WorkerPool(count: 3)
        let reached = Atomic<Int>(0)
        let early = Atomic<Int>(0)
        pool.run { _ in
            for round in 1...200 {
                reached.add(1, ordering: .sequentiallyConsistent)
                pool.barrier()
                if reached.load(ordering: .sequentiallyConsistent) < 3 * round {
                    early.add(1, ordering: .relaxed)
                }
                pool.barrier()
            }
        }
        #expect(early.load(ordering: .relaxed) == 0)
    }

    @Test func `calls from several threads take turns`() async {
        let pool = WorkerPool(count: 2)
        let counters = Counters()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 {
                        pool.run { _ in
                            let now = counters.inside.add(1, ordering: .sequentiallyConsistent)
                                .newValue
                            if now > 2 { counters.overlaps.add(1, ordering: .relaxed) }
                            counters.inside.subtract(1, ordering: .sequentiallyConsistent)
                        }
                    }
                }
            }
        }
        #expect(counters.overlaps.load(ordering: .relaxed) == 0)
    }

    private final class Counters: Sendable {
        let inside = Atomic<Int>(0)
        let overlaps = Atomic<Int>(0)
    }
}
