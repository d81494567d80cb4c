import Bounds
public import Processes
import Synchronization

/// A fixed number of workers, each with its own copy of an environment; in a group of processes
/// each of these has some.
///
/// Results come back in the order of the jobs, whoever did them, so what is computed from them does
/// not depend on the number of workers.
public struct EpisodeWorkers: Sendable {
    /// Owns an environment; as an actor it lends it to one job at a time.
    private actor Worker {
        private let environment: any Environment

        init(_ make: @Sendable () throws -> any Environment) throws {
            environment = try make()
        }

        func run<Result: Sendable>(
            until count: Int, claim: @Sendable () -> Int,
            job: @Sendable (Int, any Environment) -> Result
        ) -> [(index: Int, result: Result)] {
            var done: [(index: Int, result: Result)] = []
            var index = claim()
            while index < count {
                done.append((index, job(index, environment)))
                index = claim()
            }
            return done
        }
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    private let workers: [Worker]
    /// What is fixed about the environment.
    public let specification: EnvironmentSpecification

    /// Who shares the jobs of ``mapTogether(_:_:)``.
    public let group: any ProcessGroup
    /// Number of workers of all processes.
    public let totalCount: Int

    /// Number of workers here.
    public var count: Int { workers.count }

    /// Creates `count` workers with an environment from `make` each.
    ///
    /// - Throws: ``EpisodeWorkersError`` when `count` is not positive, the error that `make`
    ///   throws, or `ProcessGroupError`.
    public init(
        count: Int, group: any ProcessGroup = SingleProcess(),
        make: @Sendable () throws -> any Environment
    ) throws {
        guard Bound.workers.range.contains(count) else {
            throw EpisodeWorkersError(count: count)
        }
        specification = try make().specification
        workers = try (0..<count).map { _ in try Worker(make) }
        self.group = group
        totalCount = try group.exchange(UInt64(count), isPatient: true).reduce(0) { $0 + Int($1) }
    }

    /// Does the jobs from 0 to `count - 1` and returns their results in that order.
    public func map<Result: Sendable>(
        _ count: Int, _ job: @escaping @Sendable (Int, any Environment) -> Result
    ) async -> [Result] {
        let counter = Counter()
        return await withTaskGroup(of: [(index: Int, result: Result)].self) { group in
            for worker in workers {
                group.addTask {
                    await worker.run(until: count, claim: { counter.next() }, job: job)
                }
            }
            var results: [(index: Int, result: Result)] = []
            for await part in group { results += part }
            return results.sorted { $0.index < $1.index }.map(\.result)
        }
    }

    /// Does the jobs from 0 to `count - 1`, each process a share of them, and returns the results
    /// of all, in that order, in each.
    ///
    /// - Throws: `ProcessGroupError` when the others cannot be reached.
    public func mapTogether<Result: Sendable & Codable>(
        _ count: Int, _ job: @escaping @Sendable (Int, any Environment) -> Result
    ) async throws -> [Result] {
        let share = group.share(of: count)
        let own = await map(share.count) { job(share.lowerBound + $0, $1) }
        return try group.gather(values: own).flatMap(\.self)
    }
}

/// A number of workers that cannot be.
public struct EpisodeWorkersError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What was asked for.
    public let count: Int

    /// One line: what, where, what to do.
    public var description: String { "cannot use \(count) workers: at least 1 is needed" }
}
