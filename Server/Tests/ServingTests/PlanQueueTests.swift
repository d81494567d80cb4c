import Planning
import Serving
import ServingTestSupport
import Synchronization
import Testing

/// Requests that wait, together and one by one.
@Suite struct PlanQueueTests {
    private let planner: Planner
    private let answers = Answers()

    init() throws {
        planner = try SmallPolicy.planner()
    }

    private func situation(_ number: Double, seed: UInt64 = 0) -> Planner.Situation {
        Planner.Situation(context: planner.context(), observation: [number, 1], seed: seed)
    }

    private func submit(
        _ name: String, _ number: Double = 1, seed: UInt64 = 0, lanes: Int = 1, to queue: PlanQueue,
        isAbandoned: @escaping @Sendable () -> Bool = { false }
    ) throws {
        try queue.submit(
            Array(repeating: situation(number, seed: seed), count: lanes),
            isAbandoned: isAbandoned, completion: answers.completion(name))
    }

    @Test func `those that wait at the same moment share one search`() async throws {
        let held = HeldPlanner()
        let queue = PlanQueue(held)
        try submit("a", seed: 1, to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", seed: 2, to: queue)
        try submit("c", seed: 3, lanes: 2, to: queue)
        held.letGo(2)
        try await answers.wait(for: "a", "b", "c")
        #expect(held.sizes == [1, 3])
        #expect(try answers["a"]?.get().plans.map(\.actions) == [[[1]]])
        #expect(try answers["b"]?.get().plans.map(\.actions) == [[[2]]])
        #expect(try answers["c"]?.get().plans.map(\.actions) == [[[3]], [[3]]])
        #expect(try answers["c"]?.get().together == 3)
    }

    @Test func `plans made together are those made alone`() async throws {
        let queue = PlanQueue(planner)
        for index in 0..<6 {
            try submit("\(index)", Double(index), seed: UInt64(index), to: queue)
        }
        try await answers.wait(for: "0", "1", "2", "3", "4", "5")
        for index in 0..<6 {
            let alone = try planner.plan([situation(Double(index), seed: UInt64(index))])
            #expect(try answers["\(index)"]?.get().plans[0].tokens == alone[0].tokens)
        }
    }

    @Test func `no more are planned for together than may be`() async throws {
        let held = HeldPlanner()
        var limits = PlanQueue.Limits()
        limits.together = 3
        let queue = PlanQueue(held, limits: limits)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        for name in ["b", "c", "d"] { try submit(name, lanes: 2, to: queue) }
        held.letGo(4)
        try await answers.wait(for: "a", "b", "c", "d")
        #expect(held.sizes == [1, 2, 2, 2])
    }

    @Test func `a full queue refuses, and takes again when there is room`() async throws {
        let held = HeldPlanner()
        var limits = PlanQueue.Limits()
        limits.waiting = 2
        let queue = PlanQueue(held, limits: limits)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", to: queue)
        try submit("c", to: queue)
        let error = #expect(throws: ServingError.self) { try submit("d", to: queue) }
        #expect(error?.code == .busy)
        held.letGo(3)
        try await answers.wait(for: "a", "b", "c")
        try submit("e", to: queue)
        try await answers.wait(for: "e")
        #expect(answers["d"] == nil)
    }

    @Test func `the fault of one is not that of the others`() async throws {
        let held = HeldPlanner(fault: 9)
        let queue = PlanQueue(held)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", to: queue)
        try submit("c", 9, to: queue)
        try submit("d", to: queue)
        held.letGo(5)
        try await answers.wait(for: "a", "b", "c", "d")
        #expect(throws: ServingError.self) { try answers["c"]?.get() }
        #expect(try answers["b"]?.get().plans.count == 1)
        #expect(try answers["d"]?.get().plans.count == 1)
        #expect(held.sizes == [1, 3, 1, 1, 1])
    }

    @Test func `who has gone is not planned for`() async throws {
        let held = HeldPlanner()
        let queue = PlanQueue(held)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", to: queue, isAbandoned: { true })
        try submit("c", to: queue)
        held.letGo(2)
        try await answers.wait(for: "a", "b", "c")
        #expect(held.sizes == [1, 1])
        #expect(throws: ServingError.self) { try answers["b"]?.get() }
    }

    @Test func `a request that waited too long is refused`() async throws {
        let held = HeldPlanner()
        var limits = PlanQueue.Limits()
        // Longer than even a busy machine takes to begin with the first.
        limits.waitingTime = .milliseconds(250)
        let queue = PlanQueue(held, limits: limits)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", to: queue)
        try await Task.sleep(for: .milliseconds(300))
        held.letGo(1)
        try await answers.wait(for: "a", "b")
        let error = #expect(throws: ServingError.self) { try answers["b"]?.get() }
        #expect(error?.code == .late)
    }

    @Test func `a search that takes too long ends, and so does one that nobody waits for`()
        async throws
    {
        let endless = try SmallPolicy.planner(horizon: 10_000)
        var limits = PlanQueue.Limits()
        limits.planningTime = .milliseconds(50)
        let queue = PlanQueue(endless, limits: limits)
        try submit("a", to: queue)
        try await answers.wait(for: "a")
        let error = #expect(throws: ServingError.self) { try answers["a"]?.get() }
        #expect(error?.code == .late)
        let patient = PlanQueue(endless)
        let hasGone = Flag()
        try submit("b", to: patient, isAbandoned: { hasGone.isSet })
        try await Task.sleep(for: .milliseconds(30))
        hasGone.set()
        try await answers.wait(for: "b")
        #expect(throws: ServingError.self) { try answers["b"]?.get() }
    }

    @Test func `a closed queue plans for those that wait and takes no more`() async throws {
        let held = HeldPlanner()
        let queue = PlanQueue(held)
        try submit("a", to: queue)
        try await answers.wait { held.sizes == [1] }
        try submit("b", to: queue)
        queue.close()
        let error = #expect(throws: ServingError.self) { try submit("c", to: queue) }
        #expect(error?.code == .ending)
        held.letGo(2)
        try await answers.wait(for: "a", "b")
        #expect(try answers["b"]?.get().plans.count == 1)
    }

    /// A truth that another thread asks for.
    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isSet: Bool { value.load(ordering: .relaxed) }

        func set() { value.store(true, ordering: .relaxed) }
    }
}
