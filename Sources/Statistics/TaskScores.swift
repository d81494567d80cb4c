/// The scores of a method: for each task, such as an environment, those of its runs.
///
/// Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice",
/// arXiv 2108.13264, section 4. Where all tasks have as many runs, the measures are those of
/// `rliable`; else those over all runs (``interquartileMean``, ``optimalityGap(below:)``,
/// ``profile(at:)``) weigh a task by its runs.
public struct TaskScores: Sendable, Hashable {
    /// For each task its runs' scores, at least one.
    public let tasks: [[Double]]

    /// The scores of at least one task with at least one run each.
    public init(_ tasks: [[Double]]) {
        precondition(
            !tasks.isEmpty && tasks.allSatisfy { !$0.isEmpty }, "a task without a score")
        self.tasks = tasks
    }

    /// What each pair of runs differs by: `second` minus `first`, which have the same sizes.
    ///
    /// Their mean is the difference of the means, and where the pairs had the same starts, its
    /// interval is without what the starts have in common.
    public static func differences(from first: TaskScores, to second: TaskScores) -> TaskScores {
        precondition(
            first.tasks.map(\.count) == second.tasks.map(\.count), "runs that are no pairs")
        return TaskScores(
            zip(first.tasks, second.tasks).map { zip($0, $1).map { $1 - $0 } })
    }

    // MARK: - Measures

    /// The mean score of each task.
    public var taskMeans: [Double] { tasks.map(Self.mean) }

    /// Mean over the tasks of ``taskMeans``.
    public var mean: Double { Self.mean(taskMeans) }

    /// Median over the tasks of ``taskMeans``.
    public var median: Double {
        let sorted = taskMeans.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// Mean of all runs but the worst and the best quarter, each rounded down to whole runs.
    public var interquartileMean: Double {
        let sorted = tasks.flatMap(\.self).sorted()
        let cut = sorted.count / 4
        return Self.mean(sorted[cut..<(sorted.count - cut)])
    }

    /// What the runs lack on average to `limit`, those above it nothing.
    public func optimalityGap(below limit: Double) -> Double {
        limit - Self.mean(tasks.flatMap(\.self).map { min($0, limit) })
    }

    /// The share of all runs whose score is above each threshold: the performance profile.
    public func profile(at thresholds: [Double]) -> [Double] {
        let runs = tasks.flatMap(\.self)
        return thresholds.map { threshold in
            Double(runs.count { $0 > threshold }) / Double(runs.count)
        }
    }

    /// How likely a run is better than one of `other` of the same task, equal ones half: the mean
    /// over the tasks.
    ///
    /// The statistic of Mann and Whitney over the number of pairs. Both have the same tasks.
    public func probabilityOfImprovement(over other: TaskScores) -> Double {
        precondition(tasks.count == other.tasks.count, "scores of other tasks")
        return Self.mean(
            zip(tasks, other.tasks).map { own, others in
                // Counted in sorted order, which is linear.
                let (own, others) = (own.sorted(), others.sorted())
                var (below, through, halves) = (0, 0, 0)
                for score in own {
                    while below < others.count, others[below] < score { below += 1 }
                    while through < others.count, others[through] <= score { through += 1 }
                    halves += below + through
                }
                return Double(halves) / 2 / Double(own.count * others.count)
            })
    }

    private static func mean(_ numbers: some Collection<Double>) -> Double {
        numbers.reduce(0, +) / Double(numbers.count)
    }
}
