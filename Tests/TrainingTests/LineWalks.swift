import Tokenization
import Training
import Trajectories

/// Walks of a point on a line, steadily to one of two ends from the middle, and how small models
/// learn from them.
enum LineWalks {
    /// Walks of which an observation is made of direction and row.
    static func trajectories(
        _ layout: TransitionLayout, observation: (_ direction: Float, _ row: Float) -> [Float]
    ) -> [Trajectory] {
        (0..<24).map { episode in
            let direction: Float = episode % 2 == 0 ? 1 : -1
            var trajectory = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<8 {
                trajectory.append(
                    observation: observation(direction, Float(row)), action: [direction], reward: 0)
            }
            return trajectory
        }
    }

    static func settings(goalColumns: [Int]) -> TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 2
        settings.binCount = 15
        settings.strategy = .uniform
        settings.goalColumns = goalColumns
        return settings
    }

    static func options(steps: Int) -> TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.batchSize = 8
        options.learningRate = 5e-3
        options.checkpointInterval = 10
        options.finalTokens = 20_000
        return options
    }
}
