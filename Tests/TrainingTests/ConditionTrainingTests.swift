import Foundation
import Planning
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Training and planning under what holds for a whole episode.
@Suite struct ConditionTrainingTests {
    private let folder: TemporaryFolder
    private let layout = TransitionLayout(observationDimension: 3, actionDimension: 1)

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A point on a line that steps in the direction that the first column has in its episode; the
    /// last column is the goal's, as far on as the episode went.
    private func dataset(_ far: Float = 1) throws -> TokenizedDataset {
        let trajectories = LineWalks.trajectories(layout) { [far * $0, $0 * $1, $1] }
        var settings = LineWalks.settings(goalColumns: [2])
        settings.conditionColumns = [0]
        return try TokenizedDataset(trajectories, settings: settings)
    }

    private func train(
        _ name: String, steps: Int, resume: Bool = false, far: Float = 1
    ) throws -> Trainer {
        var settings = TrainingSettings()
        settings.model.layerCount = 1
        settings.model.headCount = 2
        settings.model.embeddingWidth = 16
        let data = try dataset(far)
        settings.tokenization = data.settings
        let trainer = try Trainer(
            settings.configuration(layout: data.windows.layout), dataset: data,
            options: LineWalks.options(steps: steps), directory: folder.file(name), resume: resume,
            engine: .cpu(workers: 1))
        try trainer.run { _ in }
        return trainer
    }

    @Test func `a model acts as its episode's conditions ask, and plans anew where they change`()
        throws
    {
        _ = try train("learns", steps: 300)
        let trained = try Checkpoint(directory: folder.file("learns"))
        #expect(trained.conditions == (try dataset().conditions) && trained.dataLayout == layout)
        #expect(trained.takesPrefix && trained.goalColumns == [2])
        var options = PlannerOptions()
        options.objective = .imitation
        options.horizon = 2
        options.beamWidth = 2
        options.contextTransitions = 2
        options.replanInterval = 2
        var controller = try Controller(
            model: CPUEngine.cpu.decoder(trained.model), discretizer: trained.discretizer,
            actionLimits: [-1...1], goalColumns: trained.goalColumns,
            conditions: trained.conditions, options: options)
        controller.reset(seed: 1)
        try controller.setGoal([6])
        for direction in [1.0, -1] {
            let decision = try controller.act(on: [direction, 0, 0])
            #expect(decision.action[0] * direction > 0.5)
            // The second time in the middle of a plan, of which nothing is left.
            let plan = try #require(decision.plan)
            #expect(plan.observations.allSatisfy { $0.count == 3 && $0[0] == direction })
            try controller.receive(reward: 0)
            #expect(controller.context.transitions.count == 1)
        }
        // While they stay, plans are followed.
        #expect(try controller.act(on: [-1, -1, 1]).plan == nil)
        try controller.receive(reward: 0)
        #expect(controller.context.transitions.count == 2)
    }

    @Test func `a resumed run is the unbroken one, and other conditions are another run`() throws {
        let whole = try train("whole", steps: 20)
        _ = try train("parts", steps: 10)
        let resumed = try train("parts", steps: 20, resume: true)
        #expect(resumed.model.tensors().serialized() == whole.model.tensors().serialized())
        let error = #expect(throws: TrainingError.self) {
            try train("parts", steps: 30, resume: true, far: 2)
        }
        #expect(error?.description.contains("other data") == true)
    }

    @Test func `planners take whole observations, and refuse what is none`() throws {
        _ = try train("short", steps: 10)
        let trained = try Checkpoint(directory: folder.file("short"))
        var options = PlannerOptions()
        options.objective = .likelihood
        options.horizon = 2
        options.beamWidth = 2
        let planner = try Planner(checkpoint: trained, options: options, engine: .cpu)
        #expect(planner.observedLayout == layout)
        var context = planner.context()
        let missing = #expect(throws: PlanningError.self) {
            try planner.plan(context: context, observation: [1, 0, 0])
        }
        #expect(missing?.description.contains("goal") == true)
        try context.setGoal([5])
        let token = trained.discretizer.token(for: 5, dimension: 1)
        #expect(context.goal == [token])
        let bins = try #require(trained.conditions?.discretizer)
        #expect(
            try context.prefix(before: [1, 0, 0]) == [bins.token(for: 1, dimension: 0), token])
        #expect(try context.tokens(before: [1, 0, 0]).count == 2)
        for observation in [[0, 0], [.nan, 0, 0]] as [[Double]] {
            let error = #expect(throws: PlanningError.self) {
                try planner.plan(context: context, observation: observation)
            }
            #expect(error?.code == .input)
        }
        let plan = try planner.plan(context: context, observation: [1, 0, 0])
        #expect(plan.observations.allSatisfy { $0.count == 3 && $0[0] == 1 })
        let error = #expect(throws: PlanningError.self) {
            try Planner(
                model: trained.model, discretizer: trained.discretizer, goalColumns: [2],
                engine: .cpu)
        }
        #expect(error?.code == .mismatch)
    }

    @Test func `an edited checkpoint with other conditions than its model has is refused`() throws {
        _ = try train("edited", steps: 10)
        let file = folder.file("edited").appendingPathComponent("checkpoint.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        var object = try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        object["checksum"] = nil
        var tokenization = try #require(object["tokenization"] as? [String: Any])
        tokenization["conditionColumns"] = [0, 1]
        object["tokenization"] = tokenization
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        let error = #expect(throws: CheckpointError.self) {
            try Checkpoint.description(in: folder.file("edited"))
        }
        #expect(error?.description.contains("2 conditionColumns") == true)
    }
}
