import Foundation
import Processes
import Synchronization
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Training by several processes, which are threads here; those of MPI are tried by
/// `Scripts/test-mpi.sh`.
@Suite struct SeveralProcessesTests {
    private let world: PointRuns

    init() throws {
        world = try PointRuns()
    }

    /// What a process has in the end.
    private struct End: Sendable {
        var parameters: [Float]
        var reports: [TrainingProgress]
        var notes: [String]
    }

    /// Trains in so many processes; all but the first look into a folder of another name.
    private func train(
        _ count: Int, _ name: String, steps: Int, resume: Bool = false, workers: Int = 1,
        interval: Duration = .seconds(3600),
        engine: (@Sendable (_ rank: Int) -> any Engine)? = nil,
        until isStopped: @escaping @Sendable (_ rank: Int) -> Bool = { _ in false },
        change: @escaping @Sendable (inout TrainingOptions, _ rank: Int) -> Void = { _, _ in }
    ) -> [Result<End, any Error>] {
        let folder = world.folder.file(name)
        let others = world.folder.file("\(name)-others")
        return ThreadGroup.run(count) { group in
            let data = try PointRuns.dataset()
            var configuration = PointRuns.configuration(data)
            configuration.embeddingDropout = 0.1
            configuration.attentionDropout = 0.1
            configuration.residualDropout = 0.1
            var options = PointRuns.options(steps: steps)
            change(&options, group.rank)
            let engine: any Engine = engine?(group.rank) ?? CPUEngine(workers: workers)
            let trainer = try Trainer(
                configuration, dataset: data, options: options,
                directory: group.isFirst || resume ? folder : others, environment: "point",
                resume: resume, engine: engine, group: count == 1 ? SingleProcess() : group)
            var reports: [TrainingProgress] = []
            try trainer.run(reportEvery: interval, until: { isStopped(group.rank) }) {
                reports.append($0)
            }
            return End(
                parameters: trainer.model.values, reports: reports, notes: trainer.notes)
        }
    }

    /// The largest difference, in units of the largest parameter.
    private func difference(_ one: [Float], _ other: [Float]) -> Float {
        let largest = one.map(abs).max() ?? 1
        return zip(one, other).map { abs($0 - $1) }.max().map { $0 / largest } ?? .infinity
    }

    @Test(arguments: [2, 3, 4])
    func `several processes train as one does, up to the order of sums`(count: Int) throws {
        let alone = try train(1, "alone-\(count)", steps: 30)[0].get()
        let together = try train(count, "together-\(count)", steps: 30).map { try $0.get() }
        for end in together {
            #expect(end.parameters == together[0].parameters)
            #expect(difference(alone.parameters, end.parameters) < 1e-4)
        }
        // The first one reports, and what it says is of all.
        for end in together.dropFirst() { #expect(end.reports.isEmpty) }
        #expect(together[0].reports.count == alone.reports.count)
        for (one, other) in zip(alone.reports, together[0].reports) {
            #expect(one.tokens == other.tokens && one.step == other.step)
            #expect(abs(one.loss - other.loss) < 1e-4)
            let heldOut = try (#require(one.heldOutLoss), #require(other.heldOutLoss))
            #expect(abs(heldOut.0 - heldOut.1) < 1e-4)
            let actions = try (
                #require(one.heldOutActionCrossEntropy), #require(other.heldOutActionCrossEntropy)
            )
            #expect(abs(actions.0 - actions.1) < 1e-4)
            #expect(abs(one.gradientNorm - other.gradientNorm) < 1e-3 * one.gradientNorm)
        }
    }

    @Test func `only the first process writes`() throws {
        let ends = train(2, "first", steps: 10)
        _ = try ends.map { try $0.get() }
        let files = FileManager.default
        #expect(files.fileExists(atPath: world.folder.file("first/checkpoint.json").path))
        #expect(!files.fileExists(atPath: world.folder.file("first-others").path))
    }

    @Test func `a process without a window of the batch is no hindrance`() throws {
        let alone = try train(
            1, "small", steps: 12, change: { options, _ in options.batchSize = 2 })[0]
            .get()
        let together = try train(
            3, "many", steps: 12, change: { options, _ in options.batchSize = 2 }
        )
        .map { try $0.get() }
        for end in together { #expect(difference(alone.parameters, end.parameters) < 1e-4) }
    }

    @Test func `a run goes on with another number of processes`() throws {
        let alone = try train(1, "whole", steps: 30)[0].get()
        _ = try train(2, "parts", steps: 10).map { try $0.get() }
        let three = try train(3, "parts", steps: 20, resume: true).map { try $0.get() }
        #expect(three[0].notes.contains { $0.contains("2 processes so far, now by 3") })
        let one = try train(1, "parts", steps: 30, resume: true)[0].get()
        #expect(one.notes.contains { $0.contains("3 processes so far, now by 1") })
        #expect(difference(alone.parameters, one.parameters) < 1e-4)
    }

    @Test func `whoever is told to stop, all save and stop`() throws {
        for told in 0..<2 {
            let asked = Mutex(0)
            let ends = try train(
                2, "stopped-\(told)", steps: 1000,
                until: { rank in
                    rank == told
                        && asked.withLock {
                            $0 += 1; return $0 == 7
                        }
                }
            ).map { try $0.get() }
            #expect(ends[0].parameters == ends[1].parameters)
            let kept = try Checkpoint(at: world.folder.file("stopped-\(told)"))
            #expect(kept.description.step == 7)
            #expect(kept.model.values == ends[0].parameters)
        }
    }

    @Test func `reports come by the clock of the first process`() throws {
        let ends = try train(2, "clock", steps: 8, interval: .zero).map { try $0.get() }
        #expect(ends[0].reports.map(\.step) == Array(1...8))
        #expect(ends[1].reports.isEmpty)
    }

    @Test func `weights that are no longer the same stop the run`() throws {
        let ends = train(
            2, "apart", steps: 30,
            engine: { rank in EventfulEngine.drifting(afterSteps: rank == 1 ? 14 : .max) })
        for end in ends {
            let error = #expect(throws: TrainingError.self) { try end.get() }
            #expect(error?.code == .processesDiffer)
            #expect(error?.detail.contains("process 1 of 2 on host1") == true)
        }
        // What was saved before is whole.
        #expect(try Checkpoint(at: world.folder.file("apart")).description.step == 10)
    }

    @Test func `processes with other settings or data do not begin`() throws {
        let seeds = train(
            2, "seeds", steps: 5, change: { options, rank in options.seed = UInt64(rank) })
        for end in seeds {
            let error = #expect(throws: TrainingError.self) { try end.get() }
            #expect(error?.code == .processesDiffer)
            #expect(error?.detail.contains("other settings") == true)
        }
        let files = FileManager.default
        #expect(!files.fileExists(atPath: world.folder.file("seeds/checkpoint.json").path))
    }

    @Test func `a process that fails ends the others`() throws {
        let ends = train(
            3, "failing", steps: 30,
            engine: { rank in EventfulEngine.failing(afterSteps: rank == 2 ? 15 : .max) })
        for end in ends {
            let error = #expect(throws: EngineError.self) { try end.get() }
            #expect(error?.code == .failed || error?.code == .exchange)
        }
        #expect(try Checkpoint(at: world.folder.file("failing")).description.step == 10)
    }
}

/// The processor's engine, to which something happens after some steps.
private struct EventfulEngine: Engine {
    let name: String
    let afterSteps: Int
    let event: @Sendable (any TrainingEngine) throws(EngineError) -> Void

    /// Its weights change by themselves.
    static func drifting(afterSteps: Int) -> EventfulEngine {
        EventfulEngine(name: "drifting", afterSteps: afterSteps) { engine throws(EngineError) in
            var state = try engine.state()
            state.parameters[0] += 1e-6
            try engine.restore(state)
        }
    }

    /// It fails.
    static func failing(afterSteps: Int) -> EventfulEngine {
        EventfulEngine(name: "failing", afterSteps: afterSteps) { _ throws(EngineError) in
            throw EngineError(code: .failed, engine: "failing", detail: "as planned")
        }
    }

    func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine {
        CountingLearner(
            try CPUEngine(workers: 1).training(model, options: options), afterSteps, event)
    }

    func decoder(_ model: TrajectoryTransformer) throws(EngineError) -> any PrefixTreeModel {
        try CPUEngine.cpu.decoder(model)
    }
}

/// An engine to which something happens after some steps.
private final class CountingLearner: ForwardingLearner {
    private let event: (any TrainingEngine) throws(EngineError) -> Void
    private var stepsLeft: Int

    init(
        _ engine: any TrainingEngine, _ steps: Int,
        _ event: @escaping (any TrainingEngine) throws(EngineError) -> Void
    ) {
        (stepsLeft, self.event) = (steps, event)
        super.init(engine)
    }

    override func step(
        _ batch: TokenBatch, rate: Double, dropoutStream: UInt64?, exchange: GradientExchange?
    ) throws(EngineError) {
        if stepsLeft == 0 { try event(engine) }
        stepsLeft -= 1
        try super.step(batch, rate: rate, dropoutStream: dropoutStream, exchange: exchange)
    }
}
