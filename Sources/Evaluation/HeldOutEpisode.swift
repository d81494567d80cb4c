public import Trajectories

/// A logged episode as a task of prediction.
public struct HeldOutEpisode: Sendable {
    /// What is known of a transition before the present one.
    public struct Step: Sendable {
        /// What was observed and done.
        public let observation, action: [Double]
        /// What followed.
        public let reward: Double
    }
    /// Its place in the file, from 0.
    public let index: Int
    /// The row of the file, counted through all episodes, in which the episode begins.
    public let firstRow: Int
    /// What happened before the present observation.
    public let past: [Step]
    /// The present observation.
    public let present: [Double]
    /// The actions that followed.
    public let actions: [[Double]]
    /// The observations after each of them.
    public let truth: [[Double]]

    /// The first `context` transitions are the past; the episode has `context + horizon + 1` rows
    /// or more.
    public init(
        _ trajectory: Trajectory, index: Int, firstRow: Int, context: Int, horizon: Int
    ) {
        self.index = index
        self.firstRow = firstRow
        past = (0..<context).map {
            Step(
                observation: trajectory.observation($0).map(Double.init),
                action: trajectory.action($0).map(Double.init),
                reward: Double(trajectory.rewards[$0]))
        }
        present = trajectory.observation(context).map(Double.init)
        actions = (0..<horizon).map { trajectory.action(context + $0).map(Double.init) }
        truth = (1...horizon).map { trajectory.observation(context + $0).map(Double.init) }
    }
}
