/// Episodes that can be gone through again and again without being held in memory together.
public protocol EpisodeStream {
    /// Which column of a transition is which.
    var layout: TransitionLayout { get }
    /// Number of transitions.
    var rowCount: Int { get }

    /// Hands on the episodes in order; none is empty.
    ///
    /// - Throws: Errors of reading, and whatever `body` throws.
    func forEachEpisode(_ body: (Trajectory) throws -> Void) throws

    /// Hands on the rewards of each episode and how it ends, which may be faster than whole
    /// episodes.
    ///
    /// - Throws: Errors of reading, and whatever `body` throws.
    func forEachEpisodeRewards(_ body: ([Float], Trajectory.Ending) throws -> Void) throws
}
