import Foundation
import Synchronization
import TestSupport
import Testing
import Tokenization
import Training
import Transformer
import TransformerCPU

@Suite struct BestCheckpointTests {
    private let world: PointRuns

    init() throws {
        world = try PointRuns()
    }

    /// Ten steps a measurement, which finds these losses one after the other.
    private func train(
        _ name: String, losses: [Double], resume: Bool = false, steps: Int? = nil,
        change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> (trainer: Trainer, reports: [TrainingProgress]) {
        try world.train(
            name, steps: steps ?? 10 * losses.count, resume: resume, on: ScriptedEngine(losses)
        ) {
            $0.keepsBest = true
            change(&$0)
        }
    }

    private func step(_ path: String) throws -> Int {
        try Checkpoint(at: world.folder.file(path)).description.step
    }

    @Test func `the checkpoint of the smallest held-out loss is kept beside the last`() throws {
        let (trainer, reports) = try train("run", losses: [3, 2, 2.5, 1, 1, 4])
        #expect(try step("run") == 40 && step("run/best") == 40)
        #expect(try step("run/checkpoint.json") == 60)
        let best = try Checkpoint(at: world.folder.file("run"))
        #expect(best.description.heldOutLoss == 1 && best.description.optimizer == nil)
        #expect(best.model.values != trainer.model.values)
        #expect(reports.map(\.heldOutLoss) == [3, 2, 2.5, 1, 1, 4])
        // It is the model of that step.
        let shorter = try train("shorter", losses: [3, 2, 2.5, 1]).trainer
        #expect(best.model.values == shorter.model.values)
    }

    @Test func `without one that was kept, the last is taken`() throws {
        _ = try train("run", losses: [3, 1, 2]) { $0.keepsBest = false }
        #expect(try step("run") == 30 && step("run/checkpoint.json") == 30)
        #expect(!Checkpoint.exists(in: world.folder.file("run/best")))
    }

    @Test func `a resumed run knows its best, with and without its log`() throws {
        for removesLog in [false, true] {
            let name = "run \(removesLog)"
            _ = try train(name, losses: [3, 1, 2])
            if removesLog {
                try FileManager.default.removeItem(at: world.folder.file("\(name)/metrics.csv"))
            }
            _ = try train(name, losses: [1.5, 2], resume: true, steps: 50)
            #expect(try step(name) == 20 && step("\(name)/checkpoint.json") == 50)
            _ = try train(name, losses: [0.5, 2], resume: true, steps: 70)
            #expect(try step(name) == 60)
        }
    }

    @Test func `a run that gets no better stops, and says so`() throws {
        let losses: [Double] = [3, 2, 2.5, 2.4, 1.9, 2, 2, 2, 1]
        let (trainer, reports) = try train("run", losses: losses) { $0.patience = 3 }
        #expect(reports.last?.step == 80 && reports.last?.steps == 90)
        #expect(try step("run") == 50 && step("run/checkpoint.json") == 80)
        #expect(
            trainer.notes == [
                "stopped at step 80: the held-out loss has not been smaller for 3 measurements"
            ])
        // Who is more patient goes on.
        _ = try train("run", losses: [1], resume: true, steps: 90) { $0.patience = 5 }
        #expect(try step("run") == 90)
    }

    @Test func `patience counts what was measured before a run was stopped`() throws {
        _ = try train("run", losses: [1, 2, 3]) { $0.patience = 3 }
        let end = try train("run", losses: [2, 2, 2], resume: true, steps: 60) { $0.patience = 3 }
        #expect(end.reports.last?.step == 40)
    }

    @Test(arguments: TestedEngine.all)
    func `cross entropies do not depend on weights in the loss`(_ tested: TestedEngine) throws {
        func measure(_ name: String, _ weights: (Float, Float, Float)) throws -> HeldOutLoss {
            let data = try PointRuns.dataset()
            var configuration = PointRuns.configuration(data)
            configuration.actionWeight = weights.0
            configuration.rewardWeight = weights.1
            configuration.valueWeight = weights.2
            let trainer = try Trainer(
                configuration, dataset: data, options: PointRuns.options(steps: 10),
                directory: world.folder.file(name), engine: tested.engine)
            return try #require(try trainer.heldOutLoss())
        }
        let plain = try measure("plain", (1, 1, 1))
        let all = try #require(plain.crossEntropy)
        let action = try #require(plain.actionCrossEntropy)
        // Thirteen tokens, and nothing learnt.
        #expect(abs(all - 2.565) < 0.2 && abs(action - 2.565) < 0.2 && all != action)
        #expect(plain.loss < all)
        for (name, weights) in [("five", (5, 1, 1)), ("three", (5, 2, 0.5))]
            as [(String, (Float, Float, Float))]
        {
            let weighted = try measure(name, weights)
            #expect(weighted.loss > plain.loss)
            #expect(try abs(#require(weighted.crossEntropy) - all) < 1e-4)
            #expect(try abs(#require(weighted.actionCrossEntropy) - action) < 1e-4)
        }
        let blind = try measure("blind", (0, 1, 1))
        #expect(blind.crossEntropy == nil && blind.actionCrossEntropy == nil)
    }

    @Test func `a log of an older version is read and gone on with`() throws {
        _ = try world.train("run", steps: 20)
        let log = world.folder.file("run/metrics.csv")
        let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
        #expect(lines[0].hasSuffix(",held_out_cross_entropy,held_out_action_cross_entropy"))
        let former = lines.map { $0.split(separator: ",")[0..<8].joined(separator: ",") + "\n" }
        try former.joined().write(to: log, atomically: true, encoding: .utf8)
        let read = try MetricsLog.read(directory: world.folder.file("run"))
        #expect(read.map(\.step) == [10, 20] && read.allSatisfy { $0.heldOutLoss != nil })
        #expect(read.allSatisfy { $0.heldOutCrossEntropy == nil })
        _ = try world.train("run", steps: 30, resume: true)
        let whole = try MetricsLog.read(directory: world.folder.file("run"))
        #expect(whole.map(\.step) == [10, 20, 30] && whole[1].heldOutCrossEntropy == nil)
        #expect(whole[2].heldOutCrossEntropy != nil && whole[2].heldOutActionCrossEntropy != nil)
    }
}

/// The processor's engine, of which measurements find what is told.
private struct ScriptedEngine: Engine {
    private final class Script: Sendable {
        let losses: [Double]
        let calls = Atomic(0)

        init(_ losses: [Double]) { self.losses = losses }

        /// A measurement asks twice: for all tokens, then for the actions.
        func next() -> Double { losses[calls.add(1, ordering: .relaxed).oldValue / 2] }
    }

    private let script: Script
    var name: String { "scripted" }

    init(_ losses: [Double]) { script = Script(losses) }

    func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine {
        Learner(try CPUEngine(workers: 1).training(model, options: options), script)
    }

    func decoder(_ model: TrajectoryTransformer) throws(EngineError) -> any PrefixTreeModel {
        try CPUEngine.cpu.decoder(model)
    }

    private final class Learner: ForwardingLearner {
        let script: Script

        init(_ engine: any TrainingEngine, _ script: Script) {
            self.script = script
            super.init(engine)
        }

        override func loss(_ batch: TokenBatch) throws(EngineError) -> Double { script.next() }
    }
}
