import Foundation
import Learning
import Policies
import TestSupport
import Testing
import Trajectories

@Suite struct `Learners that are stopped or diverge` {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    private var episodes: [Trajectory] {
        var generator = SeededGenerator(seed: 3)
        return (0..<4).map { _ in
            var trajectory = Trajectory(layout: layout)
            for _ in 0..<20 {
                trajectory.append(
                    observation: [generator.float(in: -1...1), generator.float(in: -1...1)],
                    action: [generator.float(in: -1...1)], reward: generator.float(in: 0...1))
            }
            trajectory.ending = .terminal
            return trajectory
        }
    }

    private func settings(steps: Int, rate: Double) -> LearningSettings {
        var settings = LearningSettings()
        settings.hiddenSizes = [8]
        settings.batchSize = 8
        settings.steps = steps
        settings.learningRate = rate
        settings.seed = 5
        return settings
    }

    /// Learns each in turn; returns where it ended.
    private func learn(
        _ learner: String, steps: Int, rate: Double = 1e-3, until isStopped: () -> Bool = { false }
    ) throws -> LearningProgress {
        let learning = settings(steps: steps, rate: rate)
        switch learner {
        case "cloning":
            var settings = BehaviorCloning.Settings()
            settings.learning = learning
            return try BehaviorCloning(
                episodes, layout: layout, actionLimits: [-1...1], settings: settings
            ).train(until: isStopped)
        case "dynamics":
            var settings = DynamicsTrainer.Settings()
            settings.learning = learning
            settings.members = 2
            return try DynamicsTrainer(episodes, settings: settings).train(until: isStopped).last
        case "td3+bc":
            var settings = TD3PlusBC.Settings()
            settings.learning = learning
            return try TD3PlusBC(
                episodes, layout: layout, actionLimits: [-1...1], settings: settings
            ).train(until: isStopped)
        default:
            var settings = ImplicitQLearning.Settings()
            settings.learning = learning
            return try ImplicitQLearning(
                episodes, layout: layout, actionLimits: [-1...1], settings: settings
            ).train(until: isStopped)
        }
    }

    static let learners = ["cloning", "dynamics", "critic", "td3+bc"]

    @Test(arguments: learners)
    func `stops after the step in which it is told to`(_ learner: String) throws {
        var asked = 0
        let end = try learn(
            learner, steps: 50,
            until: {
                asked += 1
                return asked == 7
            })
        #expect(end.step == 7 && end.steps == 50)
        #expect(end.losses.allSatisfy { $0.value.isFinite } && !end.losses.isEmpty)
    }

    @Test(arguments: learners)
    func `what the only step ruins is refused with its seed`(_ learner: String) throws {
        let error = #expect(throws: LearningError.self) {
            try learn(learner, steps: 1, rate: 1e39)
        }
        #expect(error?.code == .diverged)
        #expect(
            error?.description.contains("step 1: ") == true
                && error?.description.contains("seed 5") == true, "\(error?.description ?? "")")
    }

    // A policy's loss is bounded, as its actions are.
    @Test(arguments: ["dynamics", "critic", "td3+bc"])
    func `a loss is looked at in the step that it is of`(_ learner: String) throws {
        // Far fewer steps than between reports.
        let error = #expect(throws: LearningError.self) {
            try learn(learner, steps: 100, rate: 1e30)
        }
        let step = error?.subject.split(separator: " ").last.flatMap { Int($0) }
        #expect(try #require(step) < 20, "\(error?.description ?? "")")
    }
}
