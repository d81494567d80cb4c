import Foundation
import Planning
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Training and planning with levels of return.
@Suite struct ReturnLevelTrainingTests {
    private let folder: TemporaryFolder
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Walks on a line, of which those to the right are paid; the direction is not observed.
    private func trajectories() -> [Trajectory] {
        (0..<24).map { episode in
            let direction: Float = episode % 2 == 0 ? 1 : -1
            var trajectory = Trajectory(layout: layout, ending: .timeout)
            for row in 0..<8 {
                trajectory.append(
                    observation: [0, Float(row)], action: [direction], reward: max(0, direction))
            }
            return trajectory
        }
    }

    private func train(
        _ name: String, steps: Int, levels: Int?, from initial: String? = nil
    ) throws -> TrainingSettings {
        var settings = TrainingSettings()
        settings.model.layerCount = 1
        settings.model.headCount = 2
        settings.model.embeddingWidth = 16
        settings.training = LineWalks.options(steps: steps)
        settings.training.initialCheckpoint = initial.map { folder.file($0).path }
        settings.tokenization = LineWalks.settings(goalColumns: [])
        settings.tokenization.goalColumns = nil
        settings.tokenization.returnLevels = levels
        var settled: Set<String> = levels == nil ? [] : ["tokenization.returnLevels"]
        let bins = try settings.takeInitial(settling: &settled)
        let data = try TokenizedDataset(
            trajectories(), settings: settings.tokenization, bins: bins)
        let trainer = try Trainer(
            settings.configuration(layout: data.windows.layout), dataset: data,
            options: settings.training, directory: folder.file(name), engine: .cpu(workers: 1))
        try trainer.run { _ in }
        return settings
    }

    private func options(level: Int? = nil) -> PlannerOptions {
        var options = PlannerOptions()
        options.objective = .imitation
        options.horizon = 1
        options.beamWidth = 1
        options.contextTransitions = 2
        options.returnLevel = level
        return options
    }

    @Test func `a model acts as the level of return that is asked for, the highest unless told`()
        throws
    {
        _ = try train("learns", steps: 300, levels: 2)
        let trained = try Checkpoint(directory: folder.file("learns"))
        #expect(trained.conditions?.returns?.count == 2 && trained.takesPrefix)
        for (level, sign) in [(nil, 1.0), (2, 1), (1, -1)] as [(Int?, Double)] {
            let planner = try Planner(
                checkpoint: trained, options: options(level: level), engine: .cpu)
            let plan = try planner.plan(context: planner.context(), observation: [0, 0])
            #expect(plan.actions[0][0] * sign > 0.5)
            var controller = try Controller(
                model: CPUEngine.cpu.decoder(trained.model), discretizer: trained.discretizer,
                actionLimits: [-1...1], conditions: trained.conditions,
                options: options(level: level))
            controller.reset(seed: 1)
            #expect(try controller.act(on: [0, 0]).action[0] * sign > 0.5)
        }
    }

    @Test func `guidance exaggerates what the level makes likelier, and none disregards it`()
        throws
    {
        _ = try train("guided", steps: 300, levels: 2)
        let trained = try Checkpoint(directory: folder.file("guided"))
        /// The mean step to the right, told that episodes are paid little.
        func step(_ guidance: Double) throws -> Double {
            var options = PlannerOptions(.meanAction)
            options.returnLevel = 1
            options.levelGuidance = guidance
            options.beamWidth = 64
            options.averagedRows = 64
            let planner = try Planner(checkpoint: trained, options: options, engine: .cpu)
            let plan = try planner.plan(context: planner.context(), observation: [0, 0])
            return Double(plan.actions[0][0])
        }
        let steps = try [0, 0.2, 3].map(step)
        #expect(steps[1] < steps[0] && steps[2] <= steps[1], "\(steps)")
    }

    @Test func `a search for likelihood is guided, too, and a model without levels is not`() throws
    {
        _ = try train("likely", steps: 300, levels: 2)
        let trained = try Checkpoint(directory: folder.file("likely"))
        var options = options(level: 2)
        options.levelGuidance = 2
        let planner = try Planner(checkpoint: trained, options: options, engine: .cpu)
        #expect(
            try planner.plan(context: planner.context(), observation: [0, 0]).actions[0][0] > 0)
        _ = try train("unleveled", steps: 1, levels: nil)
        let plain = try Checkpoint(directory: folder.file("unleveled"))
        options.returnLevel = nil
        let error = #expect(throws: PlannerOptionsError.self) {
            try Planner(checkpoint: plain, options: options, engine: .cpu)
        }
        #expect(error?.option == "levelGuidance" && error?.remedy.contains("without") == true)
    }

    @Test func `levels that the model does not know are refused`() throws {
        _ = try train("two", steps: 1, levels: 2)
        _ = try train("none", steps: 1, levels: nil)
        for (name, level, remedy) in [
            ("two", 3, "1 to 2"), ("two", 0, "1 to 2"), ("none", 1, "without"),
        ] {
            let trained = try Checkpoint(directory: folder.file(name))
            let errors = [
                #expect(throws: PlannerOptionsError.self) {
                    try Planner(checkpoint: trained, options: options(level: level), engine: .cpu)
                },
                #expect(throws: PlannerOptionsError.self) {
                    try Controller(
                        model: CPUEngine.cpu.decoder(trained.model),
                        discretizer: trained.discretizer, actionLimits: [-1...1],
                        conditions: trained.conditions, options: options(level: level))
                },
            ]
            for error in errors {
                #expect(error?.option == "returnLevel" && error?.remedy.contains(remedy) == true)
            }
        }
    }

    @Test func `a model without levels may be given some, and keeps all that it knows`() throws {
        _ = try train("plain", steps: 40, levels: nil)
        // One step, at a rate of nothing.
        _ = try train("levels", steps: 1, levels: 2, from: "plain")
        let plain = try Checkpoint(directory: folder.file("plain")).model
        let given = try Checkpoint(directory: folder.file("levels"))
        #expect(given.conditions?.returns?.count == 2)
        let known = given.model.values.prefix(plain.values.count)
        let far = zip(known, plain.values).map { abs($0 - $1) }.max() ?? .infinity
        // AdamW moves a number by the rate at most, about.
        #expect(far < 0.02 && given.model.values.count == plain.values.count + 15 * 16)
        let table = try #require(given.model.parameter(named: "goal_emb.weight"))
        #expect(table.values.contains { $0 != 0 })
    }

    @Test func `a run that begins with a checkpoint takes its levels, and cannot have others`()
        throws
    {
        _ = try train("first", steps: 1, levels: 3)
        let settings = try train("second", steps: 1, levels: nil, from: "first")
        #expect(settings.tokenization.returnLevels == 3)
        let error = #expect(throws: TrainingError.self) {
            try train("other", steps: 1, levels: 2, from: "first")
        }
        #expect(error?.code == .unusableInitial)
    }
}
