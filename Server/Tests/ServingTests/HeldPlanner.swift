import Dispatch
import Planning
import Serving
import Synchronization
import Testing

/// A planner whose searches end when they are let go, one by one.
final class HeldPlanner: SituationPlanner {
    private let gate = DispatchSemaphore(value: 0)
    private let sizesSoFar = Mutex<[Int]>([])
    /// Observations whose first number is this cannot be planned for.
    let fault: Double?

    init(fault: Double? = nil) {
        self.fault = fault
    }

    /// Situations of each search so far.
    var sizes: [Int] { sizesSoFar.withLock { $0 } }

    /// Lets so many searches end, now or later.
    func letGo(_ count: Int = 1) {
        for _ in 0..<count { gate.signal() }
    }

    func plan(_ situations: [Planner.Situation]) throws(PlanningError) -> [Plan] {
        sizesSoFar.withLock { $0.append(situations.count) }
        gate.wait()
        for situation in situations where situation.observation[0] == fault {
            // The error of a goal that has too many numbers.
            var context = situation.context
            try context.setGoal([1, 2, 3, 4])
        }
        return situations.map { situation in
            Plan(
                tokens: [[0, 0, 0, 0, 0]], observations: [situation.observation],
                actions: [[Double(situation.seed)]], rewards: [0], values: [0], score: 0,
                statistics: PlanStatistics())
        }
    }
}

/// Answers of a queue, as they come.
final class Answers: Sendable {
    private let found = Mutex<[String: Result<PlanQueue.Outcome, ServingError>]>([:])

    /// What to call for the answer of that name.
    func completion(
        _ name: String
    ) -> @Sendable (Result<PlanQueue.Outcome, ServingError>) -> Void {
        { result in self.found.withLock { $0[name] = result } }
    }

    subscript(name: String) -> Result<PlanQueue.Outcome, ServingError>? {
        found.withLock { $0[name] }
    }

    /// Waits until something holds, ten seconds at most.
    func wait(until isSo: () -> Bool) async throws {
        for _ in 0..<2000 {
            if isSo() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("waited in vain")
    }

    /// Waits for the answers of these names.
    func wait(for names: String...) async throws {
        try await wait { names.allSatisfy { self[$0] != nil } }
    }
}
