import TestSupport
import Trajectories

/// Two episodes of random numbers with two columns of observation and one of action, of which one
/// ends in a terminal state and one at a time limit.
func randomEpisodes(
    of length: Int, seed: UInt64
) -> (layout: TransitionLayout, trajectories: [Trajectory]) {
    var generator = SeededGenerator(seed: seed)
    let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
    let trajectories = [Trajectory.Ending.terminal, .timeout].map { ending in
        var trajectory = Trajectory(layout: layout, ending: ending)
        for _ in 0..<length {
            let numbers = (0..<4).map { _ in Float.random(in: -1...1, using: &generator) }
            trajectory.append(
                observation: numbers[0..<2], action: numbers[2..<3], reward: numbers[3])
        }
        return trajectory
    }
    return (layout, trajectories)
}
