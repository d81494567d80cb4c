import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Transformer
import TransformerCPU

@Suite struct RecipeTests {
    private let world: PointRuns

    init() throws {
        world = try PointRuns()
    }

    private static func quick(_ options: inout TrainingOptions) {
        options.optimizer = .muon
        options.start = .smooth
    }

    @Test(arguments: TestedEngine.all)
    func `a run by Muon that is stopped and resumed ends where an unbroken one does`(
        _ tested: TestedEngine
    ) throws {
        let whole = try world.train("whole", steps: 30, on: tested.engine, change: Self.quick)
        _ = try world.train("parts", steps: 10, on: tested.engine, change: Self.quick)
        let resumed = try world.train(
            "parts", steps: 30, resume: true, on: tested.engine, change: Self.quick)
        #expect(
            resumed.trainer.model.tensors().serialized()
                == whole.trainer.model.tensors().serialized())
        let optimizer = world.folder.file("parts").appendingPathComponent(
            "optimizer-30.safetensors")
        #expect(FileManager.default.fileExists(atPath: optimizer.path))
    }

    @Test func `weights to begin with are not lost by the quick rate`() {
        var options = TrainingOptions()
        options.steps = 2
        #expect(Recipe.quick.learningRate(options, width: 64) == 8e-3)
        options.initialCheckpoint = "runs/first"
        #expect(Recipe.quick.learningRate(options, width: 64) == 5e-4)
        #expect(Recipe.authors.learningRate(options, width: 64) == 6e-4)
    }

    @Test func `only the blocks' matrices learn otherwise by Muon than by AdamW`() throws {
        let data = try PointRuns.dataset()
        let model = TrajectoryTransformer(PointRuns.configuration(data), seed: 1)
        var batch = TokenBatch(rows: 5, length: data.windows.length)
        for row in 0..<5 { data.windows.fill(&batch, row: row, window: 7 * row) }
        func state(_ muon: MuonOptions?) throws -> EngineState {
            var options = TrainingEngineOptions(windowLength: data.windows.length)
            options.muon = muon
            let engine = try CPUEngine(workers: 2).training(model, options: options)
            try engine.step(batch, rate: 1e-2, dropoutStream: 4)
            return try engine.state()
        }
        let (muon, adamw) = (try state(MuonOptions()), try state(nil))
        for name in model.parameterNames {
            let range = try #require(model.range(ofParameter: name))
            let isMatrix =
                name.hasPrefix("blocks.") && name.hasSuffix("weight") && !name.contains("ln")
            let own = Array(muon.parameters[range])
            #expect((own == Array(adamw.parameters[range])) == !isMatrix, "\(name)")
            #expect(own != Array(model.values[range]) || name.hasSuffix("key.bias"), "\(name)")
            guard isMatrix else {
                #expect(muon.firstMoment[range] == adamw.firstMoment[range])
                #expect(muon.secondMoment[range] == adamw.secondMoment[range])
                continue
            }
            #expect(muon.secondMoment[range].allSatisfy { $0 == 0 })
            // The momentum is the gradient itself, AdamW's first moment a tenth of it.
            let tenth = muon.firstMoment[range].map { Float(0.1) * $0 }
            #expect(relativeError(tenth, Array(adamw.firstMoment[range])) < 1e-5)
        }
    }

    @Test(arguments: [(Float(-1), Float(0.5)), (.nan, 0.5), (5, 1)])
    func `a Muon that cannot be is refused`(ratio: Float, momentum: Float) throws {
        let data = try PointRuns.dataset()
        var options = TrainingEngineOptions(windowLength: data.windows.length)
        var muon = MuonOptions()
        (muon.rateRatio, muon.momentum) = (ratio, momentum)
        options.muon = muon
        let model = TrajectoryTransformer(PointRuns.configuration(data), seed: 1)
        let error = #expect(throws: EngineError.self) {
            try CPUEngine.cpu.training(model, options: options)
        }
        #expect(error?.code == .unsupported)
    }

    @Test func `the quick recipe learns more from as many tokens`() throws {
        func loss(_ name: String, _ recipe: Recipe) throws -> Double {
            try #require(
                try world.train(name, steps: 60) {
                    var shape = TransformerConfiguration.Shape()
                    recipe.apply(to: &$0, &shape)
                    $0.finalTokens = nil
                }.reports.last?.heldOutLoss)
        }
        #expect(try loss("quick", .quick) < loss("authors", .authors) - 0.1)
    }

    @Test func `the authors' recipe is the defaults of programs`() {
        var options = TrainingOptions()
        var shape = TransformerConfiguration.Shape()
        Recipe.quick.apply(to: &options, &shape)
        #expect(options.optimizer == .muon && options.start == .smooth && shape.dropout == 0)
        Recipe.authors.apply(to: &options, &shape)
        #expect(options == TrainingOptions() && shape == TransformerConfiguration.Shape())
        #expect(Recipe.authors.learningRate(options, width: 64) == 6e-4)
    }

    @Test func `how parameters began and learn is recorded, and no resumed run's to change`() throws
    {
        _ = try world.train("run", steps: 10, change: Self.quick)
        let recorded = try #require(Trainer.recordedOptions(in: world.folder.file("run")))
        #expect(recorded.optimizer == .muon && recorded.start == .smooth && recorded.steps == 10)
        for (text, change) in [
            ("training.optimizer muon, not adamw", { $0.start = .smooth }),
            ("training.start smooth, not authors", { $0.optimizer = .muon }),
        ] as [(String, (inout TrainingOptions) -> Void)] {
            let error = #expect(throws: TrainingError.self) {
                try world.train("run", steps: 20, resume: true, change: change)
            }
            #expect(error?.code == .otherRun && error?.description.contains(text) == true)
        }
    }

    @Test func `a run from before there was a choice goes on as it began`() throws {
        _ = try world.train("run", steps: 10)
        let file = world.folder.file("run").appendingPathComponent("settings.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        var training = try #require(object["training"] as? [String: Any])
        #expect(training.removeValue(forKey: "optimizer") as? String == "adamw")
        #expect(training.removeValue(forKey: "start") as? String == "authors")
        (object["training"], object["checksum"]) = (training, nil)
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        let recorded = try #require(Trainer.recordedOptions(in: world.folder.file("run")))
        #expect(recorded.optimizer == .adamw && recorded.start == .authors)
        #expect(recorded.batchSize == 8)
        let error = #expect(throws: TrainingError.self) {
            try world.train("run", steps: 20, resume: true, change: Self.quick)
        }
        #expect(error?.description.contains("training.optimizer adamw, not muon") == true)
        _ = try world.train("run", steps: 20, resume: true)
    }
}
