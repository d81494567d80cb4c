package import Trajectories

/// Episodes in memory that stream by, as those of files do.
package struct EpisodeList: EpisodeStream {
    package let layout: TransitionLayout
    package let trajectories: [Trajectory]
    /// Rows claimed beyond those there are.
    package var surplus = 0
    package var rowCount: Int { trajectories.reduce(surplus) { $0 + $1.count } }

    package init(layout: TransitionLayout, trajectories: [Trajectory]) {
        self.layout = layout
        self.trajectories = trajectories
    }

    package func forEachEpisode(_ body: (Trajectory) throws -> Void) throws {
        try trajectories.forEach(body)
    }

    package func forEachEpisodeRewards(
        _ body: ([Float], Trajectory.Ending) throws -> Void
    ) throws {
        try trajectories.forEach { try body($0.rewards, $0.ending) }
    }
}
