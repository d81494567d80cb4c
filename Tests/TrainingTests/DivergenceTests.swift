import Foundation
import TestSupport
import Testing
import Tokenization
import Training
import Transformer
import TransformerCPU

@Suite struct `Runs that diverge` {
    private let world: PointRuns

    init() throws {
        world = try PointRuns()
    }

    @Test(arguments: TestedEngine.all)
    func `what the last step ruins is not saved`(_ tested: TestedEngine) throws {
        let error = #expect(throws: TrainingError.self) {
            try world.train("run", steps: 1, on: tested.engine) { $0.learningRate = 1e30 }
        }
        #expect(error?.code == .diverged)
        #expect(error?.description.contains("step 1 (seed 3") == true, "\(error?.detail ?? "")")
        #expect(!Checkpoint.exists(in: world.folder.file("run")))
    }

    @Test(arguments: TestedEngine.all)
    func `what a step before a checkpoint ruins leaves the checkpoint before`(
        _ tested: TestedEngine
    ) throws {
        let run = world.folder.file("run")
        _ = try world.train("run", steps: 10, on: tested.engine) { $0.checkpointInterval = 1 }
        let files = try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        // Not the run's rate any more: the record would refuse it.
        try FileManager.default.removeItem(at: run.appendingPathComponent("settings.json"))
        let error = #expect(throws: TrainingError.self) {
            try world.train("run", steps: 30, resume: true, on: tested.engine) {
                $0.learningRate = 1e30
                $0.checkpointInterval = 1
                $0.evaluationInterval = 1000
            }
        }
        #expect(error?.code == .diverged)
        let checkpoint = try Checkpoint(directory: run)
        #expect(checkpoint.passedOver == nil && checkpoint.model.values.allSatisfy(\.isFinite))
        #expect(checkpoint.description.step >= 10)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: run.path).count == files.count)
    }

    @Test func `the step is named within which it happened, and its batch can be had again`() throws
    {
        let (trainer, _) = try world.train("run", steps: 10)
        var checkpoint = try Checkpoint(directory: world.folder.file("run"))
        checkpoint.model = TrajectoryTransformer(
            checkpoint.model.configuration, values: checkpoint.model.values.map { $0 * 1e30 })
        checkpoint.description.step = 14
        try checkpoint.write(to: world.folder.file("run"), optimizer: world.moments(of: trainer))
        let error = #expect(throws: TrainingError.self) {
            // No report and no checkpoint is due until then.
            try world.train("run", steps: 1000, resume: true) {
                $0.checkpointInterval = 1000
                $0.evaluationInterval = 1000
            }
        }
        #expect(error?.description.contains("at step 15 (seed 3") == true, "\(error?.detail ?? "")")
        let engine = SeeingEngine()
        _ = try world.train("seen", steps: 3, on: engine)
        for step in 1...3 {
            #expect(trainer.batch(ofStep: step).inputs == engine.batches.all[step - 1].inputs)
        }
    }

    @Test(arguments: [Double.infinity, .nan, 0, -1])
    func `a learning rate that cannot be is refused by name`(_ rate: Double) throws {
        let error = #expect(throws: TrainingError.self) {
            try world.train("run", steps: 10) { $0.learningRate = rate }
        }
        #expect(error?.code == .unusableOptions)
        #expect(error?.description.contains("learningRate") == true)
    }
}
