import Trajectories

/// A logged episode as a task of prediction.
struct HeldOutEpisode {
    /// What is known of a transition before the present one.
    struct Step {
        let observation, action: [Double]
        let reward: Double
    }
    /// Its place in the file, from 0.
    let index: Int
    /// What happened before the present observation.
    let past: [Step]
    /// The present observation.
    let present: [Double]
    /// The actions that followed.
    let actions: [[Double]]
    /// The observations after each of them.
    let truth: [[Double]]

    /// The first `context` transitions are the past; the episode has `context + horizon + 1` rows or
    /// more.
    init(_ trajectory: Trajectory, index: Int, context: Int, horizon: Int) {
        self.index = index
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
