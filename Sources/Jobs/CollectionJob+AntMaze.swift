import Behavior
import Bounds
import Datasets
import Environments
import Episodes
import Foundation
import Policies
import Processes

extension CollectionJob {
    /// Makes the dataset of an AntMaze: a walker that is told the way.
    func run(_ task: AntMazeTask, report: (JobEvent<Share>) -> Void) async throws -> Result {
        let pool = try EpisodeWorkers(count: workers, group: group) {
            try EnvironmentRegistry.make(task.identifier)
        }
        let ground = try EnvironmentRegistry.make(AntMazeCollector.walkerEnvironment)
        let walker = walker ?? AntMazeCollector.walker
        let components = try PolicyParser(ground.specification).parse(walker).components
        guard components.count == 1 else {
            throw JobError(
                .invalidSetting, "the walker '\(walker)' is a mix; give a single policy")
        }
        let steps = steps ?? DatasetRecipe.Kind.navigation.defaultSteps
        try require(.steps, ["steps": steps])
        try pool.specification.layout.requireMemory(transitions: steps)
        if group.isFirst { try output.requireWritable() }
        let start = ContinuousClock.now
        let collector = AntMazeCollector(
            task, walker: components[0].policy, workers: pool, seed: seed, untilGoal: untilGoal,
            isStopped: isStopped)
        let made = try await collector.collect(steps: steps) {
            report(.progress(Share("steps", $0, of: steps)))
        }
        let policy = "waypoints for the walker \(walker) with noise 0.2"
        var attributes = [
            "environment": task.identifier, "policy": policy, "seed": "\(seed)",
            "dataset": task.dataset,
            "evaluation_goal": made.evaluationGoal.map { String(format: "%.3f", $0) }
                .joined(separator: " "),
            "walks": "\(made.walks)",
            "success_rate": String(format: "%.3f", made.successRate),
        ]
        attributes["mean_steps_to_goal"] = made.meanStepsToGoal.map { String(format: "%.1f", $0) }
        if untilGoal { attributes["until_goal"] = "true" }
        let dataset = TrajectoryDataset(
            layout: pool.specification.layout, trajectories: made.trajectories,
            attributes: attributes)
        if try group.any(isStopped()), dataset.rowCount < steps { try keep(dataset, of: steps) }
        if group.isFirst { try dataset.write(to: output) }
        var result = result(of: dataset, policy: policy, in: pool.specification, since: start)
        result.successRate = made.successRate
        result.meanStepsToGoal = made.meanStepsToGoal
        return result
    }
}
