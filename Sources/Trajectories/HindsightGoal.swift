/// The rule by which an episode that was logged for whatever reason shows how to reach a goal.
///
/// Where it went later is a place that it shows the way to (Andrychowicz et al. 2017, arXiv
/// 1707.01495; Janner et al. 2021, section 3.2).
public enum HindsightGoal: String, Sendable, Hashable, Codable, CaseIterable {
    /// Any later row of the episode, each as likely as the other.
    case later
    /// The episode's last row, as Janner et al. 2021 have it.
    case last

    /// The row whose observation is the goal of `length` rows from `start` on.
    ///
    /// - Parameters:
    ///   - start: The first row for which a goal is wanted.
    ///   - length: How many rows it is for.
    ///   - count: Rows of the episode.
    ///   - draw: A random number, uniform over its type; ``last`` needs none.
    /// - Returns: Of ``later`` one of the rows after them; of ``last``, and where there is none
    ///   after them, the episode's last row.
    public func row(after start: Int, length: Int, in count: Int, draw: UInt64) -> Int {
        let later = self == .last ? 0 : count - start - length
        return later > 0 ? start + length + Int(draw % UInt64(later)) : count - 1
    }
}

extension TransitionLayout {
    /// What is wrong with `columns` as those of the observation that make up a goal, or nil.
    package func problem(ofGoalColumns columns: [Int]) -> String? {
        if Set(columns).count < columns.count {
            return "goalColumns names a column twice; name each once"
        }
        return columns.first { !observationRange.contains($0) }.map {
            "goalColumns names column \($0); observations have the columns 0 to "
                + "\(observationDimension - 1)"
        }
    }
}
