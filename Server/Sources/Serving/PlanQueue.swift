import Dispatch
public import Planning
import Synchronization

/// Plans for one situation or several; what a ``PlanQueue`` asks.
public protocol SituationPlanner: Sendable {
    /// A plan for each situation, the same as alone.
    ///
    /// - Throws: `PlanningError`; a fault of one situation is one of all.
    func plan(_ situations: [Planner.Situation]) throws(PlanningError) -> [Plan]
}

extension Planner: SituationPlanner {}

/// Requests that wait for the planner; those that wait at the same moment share one search.
///
/// One thread of its own plans, so that whoever submits never waits. While a search runs, the
/// requests that arrive make up the next; ``Gathering`` says when those who were answered last are
/// waited for.
public final class PlanQueue: Sendable {
    /// How much may wait, and for how long.
    public struct Limits: Sendable, Hashable {
        /// Requests that wait.
        public var waiting = 256
        /// Situations that are planned for together, and lanes of a request.
        public var together = 64
        /// How long a request may wait before its search begins.
        public var waitingTime = Duration.seconds(10)
        /// How long a search may take.
        public var planningTime = Duration.seconds(60)

        /// The defaults.
        public init() {}
    }

    /// The plans of a request, and what they took.
    public struct Outcome: Sendable {
        /// A plan for each situation.
        public var plans: [Plan]
        /// From submission to the beginning of the search.
        public var waited: Duration
        /// What the search took.
        public var searched: Duration
        /// Situations that were planned for together.
        public var together: Int
    }

    /// A request on its way.
    private struct Job: Sendable {
        var situations: [Planner.Situation]
        var submitted = ContinuousClock.now
        var isAbandoned: @Sendable () -> Bool
        var completion: @Sendable (Result<Outcome, ServingError>) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isRunning = false
        var isClosed = false
        /// The planner waits for those who are missing.
        var isGathering = false
        var gathering = Gathering()

        var waitingSituations: Int { waiting.reduce(0) { $0 + $1.situations.count } }
    }

    /// How much may wait.
    public let limits: Limits
    private let planner: any SituationPlanner
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "planning")
    private let arrival = DispatchSemaphore(value: 0)

    /// A queue before a planner.
    public init(_ planner: any SituationPlanner, limits: Limits = .init()) {
        self.planner = planner
        self.limits = limits
    }

    /// Asks for plans.
    ///
    /// - Parameters:
    ///   - situations: What to plan from, at most ``Limits/together``.
    ///   - isAbandoned: Whether nobody waits for the answer any more; asked while searching, so its
    ///     answer must be quick.
    ///   - completion: Called once, on the planning thread, with the plans or why there are none.
    /// - Throws: ``ServingError`` when too many wait, or the queue is closed; then `completion` is
    ///   not called.
    public func submit(
        _ situations: [Planner.Situation], isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (Result<Outcome, ServingError>) -> Void
    ) throws(ServingError) {
        precondition(1...limits.together ~= situations.count, "\(situations.count) situations")
        let job = Job(
            situations: situations, isAbandoned: isAbandoned, completion: completion)
        try state.withLock { state throws(ServingError) in
            guard !state.isClosed else { throw .ending }
            guard state.waiting.count < limits.waiting else {
                throw ServingError(
                    .busy, "\(limits.waiting) requests wait already; try again later")
            }
            state.waiting.append(job)
            state.gathering.arrived(situations.count, at: job.submitted)
            if state.isGathering, state.gathering.isComplete {
                state.isGathering = false
                arrival.signal()
            }
            guard !state.isRunning else { return }
            state.isRunning = true
            thread.async { self.run() }
        }
    }

    /// Takes no more requests; those that wait are planned for.
    public func close() {
        state.withLock { $0.isClosed = true }
    }

    // MARK: - On the planning thread

    private func run() {
        while true {
            gather()
            let next = state.withLock { state -> [Job]? in
                guard !state.waiting.isEmpty else {
                    state.isRunning = false
                    return nil
                }
                return Self.takeBatch(&state.waiting, limit: limits.together)
            }
            guard let jobs = next else { return }
            let begin = ContinuousClock.now
            let live = jobs.filter { job in
                guard !job.isAbandoned() else {
                    job.completion(.failure(.abandoned))
                    return false
                }
                guard begin - job.submitted <= limits.waitingTime else {
                    job.completion(
                        .failure(
                            ServingError(
                                .late,
                                "the request waited more than \(limits.waitingTime) for others; "
                                    + "try again later")))
                    return false
                }
                return true
            }
            guard !live.isEmpty else { continue }
            plan(live, since: begin)
        }
    }

    /// Waits for those who were answered last, where that is worth it.
    private func gather() {
        let rest = state.withLock { state -> Duration? in
            let now = ContinuousClock.now
            guard !state.waiting.isEmpty, let end = state.gathering.patience(at: now) else {
                return nil
            }
            state.isGathering = true
            return end - now
        }
        guard let rest else { return }
        let result = arrival.wait(timeout: .now() + .nanoseconds(Int(rest / .nanoseconds(1))))
        state.withLock { state in
            // Who came last may have signalled when the time was just up.
            if result == .timedOut, !state.isGathering { arrival.wait() }
            state.isGathering = false
        }
    }

    /// The longest requests from the front that may be planned for together.
    private static func takeBatch(_ waiting: inout [Job], limit: Int) -> [Job] {
        var count = 0
        let jobs = waiting.prefix { job in
            count += job.situations.count
            return count <= limit
        }
        waiting.removeFirst(jobs.count)
        return Array(jobs)
    }

    private func plan(_ jobs: [Job], since begin: ContinuousClock.Instant) {
        let situations = jobs.flatMap(\.situations)
        let limit = begin + limits.planningTime
        let result: Result<[Plan], PlanningError>
        do {
            let plans = try SearchInterruption.watching({
                ContinuousClock.now > limit || jobs.allSatisfy { $0.isAbandoned() }
            }) {
                try planner.plan(situations)
            }
            result = .success(plans)
        } catch let error as PlanningError {
            result = .failure(error)
        } catch {
            preconditionFailure("a planner throws nothing else: \(error)")
        }
        let end = ContinuousClock.now
        // Before the first answer: who has one may be back at once.
        state.withLock { state in
            state.gathering.searchEnded(
                at: end, after: end - begin, of: situations.count,
                waiting: state.waitingSituations, limit: limits.together)
        }
        switch result {
        case .success(let plans):
            var first = 0
            for job in jobs {
                let own = plans[first..<(first + job.situations.count)]
                first += job.situations.count
                job.completion(
                    .success(
                        Outcome(
                            plans: Array(own), waited: begin - job.submitted,
                            searched: end - begin, together: situations.count)))
            }
        case .failure(let error) where error.code == .cancelled:
            for job in jobs {
                job.completion(
                    .failure(
                        end > limit
                            ? ServingError(
                                .late, "the search took more than \(limits.planningTime)")
                            : .abandoned))
            }
        case .failure where jobs.count > 1:
            // The fault of one is not that of the others.
            for job in jobs { plan([job], since: .now) }
        case .failure(let error):
            jobs[0].completion(.failure(ServingError(.failed, error.description)))
        }
    }
}

extension ServingError {
    /// The server is ending.
    public static let ending = ServingError(.ending, "the server is ending; connect again later")
    /// Nobody waits for the answer.
    static let abandoned = ServingError(.late, "the client has gone")
}
