import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

@Suite struct TrainerTests {
    private let world: PointRuns
    private var folder: TemporaryFolder { world.folder }

    init() throws {
        world = try PointRuns()
    }

    private func dataset(windowLength: Int = 4) throws -> TokenizedDataset {
        try PointRuns.dataset(windowLength: windowLength)
    }

    private func configuration(_ dataset: TokenizedDataset) -> TransformerConfiguration {
        PointRuns.configuration(dataset)
    }

    private func options(steps: Int) -> TrainingOptions { PointRuns.options(steps: steps) }

    private func train(
        _ name: String, steps: Int, resume: Bool = false, on engine: any Engine = CPUEngine.cpu,
        change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> (Trainer, [TrainingProgress]) {
        try world.train(name, steps: steps, resume: resume, on: engine, change: change)
    }

    @Test(arguments: TestedEngine.all)
    func `training lowers the held-out loss`(_ tested: TestedEngine) throws {
        let (_, reports) = try train("falls", steps: 200, on: tested.engine) {
            $0.finalTokens = nil
        }
        let losses = reports.compactMap(\.heldOutLoss)
        let first = try #require(losses.first)
        let last = try #require(losses.last)
        #expect(last < first - 0.4)
        #expect(reports.last?.step == 200)
    }

    @Test(arguments: TestedEngine.all)
    func `the same seed and engine give the same weights bit for bit`(_ tested: TestedEngine) throws
    {
        let first = try train("first", steps: 15, on: tested.engine).0.model.tensors().serialized()
        let second = try train("second", steps: 15, on: tested.engine).0.model.tensors()
            .serialized()
        #expect(first == second)
        let other = try train("third", steps: 15, on: tested.engine) { $0.seed = 4 }.0.model
            .tensors().serialized()
        #expect(first != other)
    }

    @Test(arguments: TestedEngine.all)
    func `a run that is stopped and resumed ends where an unbroken one does`(_ tested: TestedEngine)
        throws
    {
        let whole = try train("whole", steps: 30, on: tested.engine).0
        _ = try train("parts", steps: 10, on: tested.engine)
        let resumed = try train("parts", steps: 30, resume: true, on: tested.engine).0
        #expect(resumed.model.tensors().serialized() == whole.model.tensors().serialized())
        let steps = try MetricsLog.read(directory: folder.file("parts")).map(\.step)
        #expect(steps.contains(10) && steps.contains(30))
        #expect(steps == steps.sorted())
    }

    @Test(arguments: TestedEngine.all)
    func `a checkpoint brings back model, bins and settings`(_ tested: TestedEngine) throws {
        let (trainer, _) = try train("kept", steps: 10, on: tested.engine)
        let checkpoint = try Checkpoint(directory: folder.file("kept"))
        let data = try dataset()
        #expect(checkpoint.discretizer == data.discretizer)
        #expect(checkpoint.description.tokenization == data.settings)
        #expect(checkpoint.description.environment == "point")
        #expect(checkpoint.description.step == 10)
        #expect(checkpoint.description.seed == 3)
        #expect(checkpoint.model.values == trainer.model.values)
    }

    @Test func `an existing run is not overwritten, a missing one not resumed`() throws {
        _ = try train("there", steps: 10)
        let there = #expect(throws: TrainingError.self) { try train("there", steps: 10) }
        #expect(there?.code == .runExists)
        #expect(there?.description.contains("resume that or choose another folder") == true)
        let missing = #expect(throws: TrainingError.self) {
            try train("missing", steps: 10, resume: true)
        }
        #expect(missing?.code == .noRun)
    }

    @Test func `a run is resumed with its own settings only, and the message names the other`()
        throws
    {
        _ = try train("settings", steps: 10)
        let error = #expect(throws: TrainingError.self) {
            try train("settings", steps: 20, resume: true) { $0.batchSize = 16 }
        }
        #expect(error?.description.contains("training.batchSize 8, not 16") == true)
    }

    @Test func `a damaged description is refused, not taken for an empty folder`() throws {
        _ = try train("damaged", steps: 10)
        let file = folder.file("damaged").appendingPathComponent("checkpoint.json")
        try Data("{".utf8).write(to: file)
        let error = #expect(throws: CheckpointError.self) {
            try train("damaged", steps: 20, resume: true)
        }
        #expect(error?.code == .malformed)
        #expect(throws: TrainingError.self) { try train("damaged", steps: 20) }
    }

    @Test func `weights cut short are refused with the file named`() throws {
        _ = try train("cut", steps: 10)
        let url = folder.file("cut").appendingPathComponent("weights-10.safetensors")
        let data = try Data(contentsOf: url)
        try data.prefix(data.count / 2).write(to: url)
        let error = #expect(throws: (any Error).self) {
            try Checkpoint(directory: folder.file("cut"))
        }
        #expect("\(try #require(error))".contains("weights-10.safetensors"))
    }

    @Test func `unusable options are refused by name`() throws {
        let error = #expect(throws: TrainingError.self) {
            try train("options", steps: 10) { $0.learningRate = -1 }
        }
        #expect(error?.description.contains("learningRate") == true)
    }

    @Test(arguments: TestedEngine.all)
    func `a loss that is no number ends the run, and the last checkpoint stays`(
        _ tested: TestedEngine
    ) throws {
        _ = try train("diverges", steps: 10, on: tested.engine)
        // Weights that overflow as soon as they are multiplied.
        let directory = folder.file("diverges")
        var checkpoint = try Checkpoint(directory: directory)
        let optimizer = try SafetensorsFile(
            contentsOf: directory.appendingPathComponent("optimizer-10.safetensors"))
        checkpoint.model = TrajectoryTransformer(
            checkpoint.model.configuration, values: checkpoint.model.values.map { $0 * 1e30 })
        try checkpoint.write(to: directory, optimizer: optimizer)
        let error = #expect(throws: TrainingError.self) {
            try train("diverges", steps: 20, resume: true, on: tested.engine)
        }
        #expect(error?.code == .diverged)
        #expect(error?.description.contains("step 11 (seed 3") == true)
        #expect(try Checkpoint.description(in: directory).step == 10)
    }

    @Test func `seconds and seed of an older checkpoint are among its notes`() throws {
        _ = try train("older", steps: 10)
        let file = folder.file("older").appendingPathComponent("checkpoint.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        #expect(object.removeValue(forKey: "seconds") as? Double != nil)
        #expect(object.removeValue(forKey: "seed") as? Int == 3)
        // As by hand: without the checksum, which is that of another text.
        #expect(object.removeValue(forKey: "checksum") as? String != nil)
        object["notes"] = ["seconds": "577.2", "seed": "4", "batch_size": "64"]
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        let description = try Checkpoint.description(in: folder.file("older"))
        #expect(description.seconds == 577.2 && description.seed == 4)
    }

    @Test(arguments: TestedEngine.all)
    func `shares of a batch whose gradients are added make the steps of the whole batch`(
        _ tested: TestedEngine
    ) throws {
        let data = try dataset()
        let windows = data.windows
        let model = TrajectoryTransformer(configuration(data), seed: 1)
        var options = TrainingEngineOptions(windowLength: windows.length)
        options.gradientLimit = 0.5
        var sampler = WindowSampler(windows, seed: 2)
        func batch(_ rows: Range<Int>) -> TokenBatch {
            var batch = TokenBatch(
                rows: rows.count, length: windows.length, firstRow: rows.lowerBound, totalRows: 7)
            sampler.fill(&batch, step: 3)
            return batch
        }
        let (whole, first, second) = (batch(0..<7), batch(0..<3), batch(3..<7))
        #expect(first.inputs + second.inputs == whole.inputs)
        let engine = try tested.engine.training(model, options: options)
        try engine.step(whole, rate: 1e-3, dropoutStream: 8)
        let shares = try [first, second].map { share in
            let engine = try tested.engine.training(model, options: options)
            let loss = try engine.lossAndGradient(share, dropoutStream: 8)
            return (loss: loss, gradient: try engine.gradient())
        }
        let summary = try engine.summary()
        #expect(abs((shares[0].loss + shares[1].loss) / summary.lastLoss - 1) < 1e-6)
        // One process's step, given what the other's gradient is.
        let together = try tested.engine.training(model, options: options)
        let other = shares[1].gradient
        try together.step(first, rate: 1e-3, dropoutStream: 8) { gradient in
            for index in gradient.indices { gradient[index] += other[index] }
        }
        let joint = try together.summary()
        #expect(abs(joint.lastGradientNorm / summary.lastGradientNorm - 1) < 1e-5)
        let key = try #require(model.range(ofParameter: "blocks.0.mlp.0.weight"))
        #expect(
            absoluteError(
                Array(try together.state().parameters[key]),
                Array(try engine.state().parameters[key])) < 1e-5)
        let lost = EngineError(code: .exchange, engine: "none", detail: "the other one is gone")
        #expect(throws: lost) {
            try together.step(first, rate: 1e-3, dropoutStream: 8) { (_) throws(EngineError) in
                throw lost
            }
        }
    }

    @Test(arguments: TestedEngine.all)
    func `a batch that does not fit the model is refused, and a state of another`(
        _ tested: TestedEngine
    ) throws {
        let data = try dataset()
        let model = TrajectoryTransformer(configuration(data), seed: 1)
        let length = data.windows.length
        let engine = try tested.engine.training(
            model, options: TrainingEngineOptions(windowLength: length))
        func refused(_ change: (inout TokenBatch) -> Void) -> EngineError.Code? {
            var batch = TokenBatch(rows: 2, length: length)
            change(&batch)
            return #expect(throws: EngineError.self) { try engine.loss(batch) }?.code
        }
        #expect(refused { $0.inputs[3] = 13 } == .mismatch)
        #expect(refused { $0.inputs[3] = -1 } == .mismatch)
        #expect(refused { $0.targets[3] = 13 } == .mismatch)
        #expect(refused { $0.inputs.removeLast() } == .mismatch)
        #expect(refused { $0 = TokenBatch(rows: 2, length: length - 1) } == .mismatch)
        #expect(refused { $0 = TokenBatch(rows: 2, length: length, goalDimension: 1) } == .mismatch)
        var state = try engine.state()
        state.firstMoment.removeLast()
        let cut = state
        #expect(throws: EngineError.self) { try engine.restore(cut) }
        #expect(throws: EngineError.self) {
            try tested.engine.training(
                model, options: TrainingEngineOptions(windowLength: length + 1))
        }
    }

    @Test func `every window is seen once an epoch`() throws {
        let windows = try dataset().windows
        var sampler = WindowSampler(windows, seed: 9)
        var seen: [[Int32]: Int] = [:]
        var batch = TokenBatch(rows: windows.count / 2, length: windows.length)
        for step in 0..<2 {
            sampler.fill(&batch, step: step)
            for row in 0..<batch.rows {
                let tokens = Array(batch.inputs[(row * batch.length)..<((row + 1) * batch.length)])
                seen[tokens, default: 0] += 1
            }
        }
        var expected: [[Int32]: Int] = [:]
        var single = TokenBatch(rows: 1, length: windows.length)
        for window in 0..<windows.count {
            windows.fill(&single, row: 0, window: window)
            expected[single.inputs, default: 0] += 1
        }
        #expect(seen.allSatisfy { $0.value <= expected[$0.key, default: 0] })
        #expect(seen.values.reduce(0, +) == 2 * (windows.count / 2))
    }

    /// The first token of each row.
    private func firstTokens(_ batch: TokenBatch) -> [Int32] {
        (0..<batch.rows).map { batch.inputs[$0 * batch.length] }
    }

    /// Episodes of one observation, each whole number in a bin of its own; windows of two.
    private static func oneDimensional(
        episodes: Int, rows: Int, bins: Int, observation: (_ episode: Int, _ row: Int) -> Int,
        reward: (_ episode: Int) -> Float
    ) throws -> TokenizedDataset {
        let trajectories = (0..<episodes).map { episode in
            var trajectory = Trajectory(
                layout: TransitionLayout(observationDimension: 1, actionDimension: 1))
            for row in 0..<rows {
                trajectory.append(
                    observation: [Float(observation(episode, row))], action: [0],
                    reward: reward(episode))
            }
            return trajectory
        }
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 2
        settings.binCount = bins
        settings.strategy = .uniform
        return try TokenizedDataset(trajectories, settings: settings)
    }

    @Test func `a share of the windows comes from the best tenth of the data`() throws {
        // Twenty episodes of ten transitions whose observation is their number; every third is good,
        // and episode 12 the best.
        let data = try Self.oneDimensional(
            episodes: 20, rows: 10, bins: 20, observation: { episode, _ in episode },
            reward: { $0 == 12 ? 9 : $0.isMultiple(of: 3) ? 5 : 1 })
        let best = data.windows.best(0.1, returns: data.episodeReturns)
        // Two of the twenty; of equals the first.
        #expect(best.episodes == [0, 12])
        #expect(data.windows.best(0, returns: data.episodeReturns).episodes == [12])
        #expect(data.windows.best(1, returns: data.episodeReturns).episodes == Array(0..<20))

        var sampler = WindowSampler(data.windows, best: best, bestShare: 0.25, seed: 5)
        var batch = TokenBatch(rows: 60, length: data.windows.length)
        var counts: [Int32: Int] = [:]
        for step in 0..<4 {
            sampler.fill(&batch, step: step)
            for token in firstTokens(batch) { counts[token, default: 0] += 1 }
        }
        // All 180 windows once, nine an episode, and the eighteen best ones 60 times in all.
        #expect(counts.allSatisfy { $0.key == 0 || $0.key == 12 || $0.value == 9 })
        #expect(counts.count == 20 && counts[0] == 9 + 30 && counts[12] == 9 + 30)
        // A step is the same whatever was drawn before it.
        var resumed = WindowSampler(data.windows, best: best, bestShare: 0.25, seed: 5)
        var again = batch
        resumed.fill(&again, step: 3)
        #expect(again.inputs == batch.inputs)
        // Without a share the order is the one that it always was.
        var plain = WindowSampler(data.windows, best: best, seed: 5)
        var old = WindowSampler(data.windows, seed: 5)
        plain.fill(&batch, step: 2)
        old.fill(&again, step: 2)
        #expect(again.inputs == batch.inputs)
    }

    @Test func `a share of the best windows changes the run, and a resumed one must have it`()
        throws
    {
        let plain = try train("plain", steps: 10).0.model.tensors().serialized()
        let first = try train("share", steps: 10) { $0.bestShare = 0.5 }.0.model.tensors()
        #expect(first.serialized() != plain)
        _ = try train("half", steps: 5) { $0.bestShare = 0.5 }
        let resumed = try train("half", steps: 10, resume: true) { $0.bestShare = 0.5 }
        #expect(resumed.0.model.tensors().serialized() == first.serialized())
        let error = #expect(throws: TrainingError.self) {
            try train("half", steps: 20, resume: true)
        }
        #expect(error?.description.contains("training.bestShare") == true)
        #expect(throws: TrainingError.self) { try train("more", steps: 5) { $0.bestShare = 1.5 } }
        let half = try train("half best", steps: 10) {
            $0.bestShare = 0.5; $0.bestFraction = 0.5
        }
        #expect(half.0.model.tensors().serialized() != first.serialized())
        let tenth = try train("tenth", steps: 10) {
            $0.bestShare = 0.5; $0.bestFraction = 0.1
        }
        #expect(tenth.0.model.tensors().serialized() == first.serialized())
        for fraction in [0, 1.1, -.infinity, .nan] {
            #expect(throws: TrainingError.self) {
                try train("none", steps: 5) {
                    $0.bestShare = 0.5; $0.bestFraction = fraction
                }
            }
        }
        #expect(throws: TrainingError.self) {
            try train("none", steps: 5) { $0.bestFraction = 0.5 }
        }
    }

    @Test func `openings have their share beside all windows and the best`() throws {
        let data = try Self.oneDimensional(
            episodes: 10, rows: 11, bins: 11, observation: { _, row in row },
            reward: { $0 == 4 ? 9 : 1 })
        let openings = data.windows.openings()
        #expect(data.windows.count == 100 && openings.count == 20)
        #expect((0..<20).allSatisfy { openings.origin(of: $0) == ($0 / 2, $0 % 2) })
        let longer = data.windows.openings(4)
        #expect((0..<40).allSatisfy { longer.origin(of: $0) == ($0 / 4, $0 % 4) })
        #expect(longer.count == 40 && data.windows.openings(1000).count == 100)

        var sampler = WindowSampler(
            data.windows, best: data.windows.best(0.1, returns: data.episodeReturns),
            bestShare: 0.25, openingShare: 0.25, seed: 5)
        var batch = TokenBatch(rows: 1600, length: data.windows.length)
        sampler.fill(&batch, step: 0)
        var counts: [Int32: Int] = [:]
        for token in firstTokens(batch) { counts[token, default: 0] += 1 }
        // Of 1,600 draws 100 are the two openings of the best, 300 all ten of the best, 300 the 20
        // openings of all, and 900 anything, nine times each.
        #expect(counts.keys.sorted() == Array(0..<10))
        #expect((2..<10).allSatisfy { counts[Int32($0)] == 30 + 90 }, "\(counts)")
        #expect(counts[0, default: 0] + counts[1, default: 0] == 100 + 2 * 30 + 300 + 2 * 90)
        // A step is the same whatever was drawn before it.
        var resumed = sampler
        var again = batch
        sampler.fill(&batch, step: 7)
        resumed.fill(&again, step: 3)
        resumed.fill(&again, step: 7)
        #expect(again.inputs == batch.inputs)
        #expect(throws: TrainingError.self) { try train("none", steps: 5) { $0.openingLength = 4 } }
        let run = { (steps: Int, resumes: Bool, length: Int) in
            try train("opened", steps: steps, resume: resumes) {
                $0.openingShare = 0.5; $0.openingLength = length
            }
        }
        _ = try run(5, false, 1)
        #expect(throws: TrainingError.self) { try run(10, true, 2) }
    }

    @Test func `a run may begin with the weights of a checkpoint of the same data and size`() throws
    {
        let first = try train("first", steps: 5).0.model
        let begins = { (options: inout TrainingOptions) in
            options.initialCheckpoint = folder.file("first").path
        }
        let begun = try train("begun", steps: 1) {
            begins(&$0)
            $0.learningRate = 1e-12
        }.0.model
        #expect(begun.values.count == first.values.count)
        #expect(zip(begun.values, first.values).allSatisfy { abs($0 - $1) < 1e-6 })

        let whole = try train("whole", steps: 6, change: begins).0.model.tensors().serialized()
        _ = try train("half", steps: 3, change: begins)
        // The record is enough for what is resumed.
        try FileManager.default.removeItem(at: folder.file("first"))
        let resumed = try train("half", steps: 6, resume: true, change: begins).0.model
        #expect(resumed.tensors().serialized() == whole)
        #expect(throws: CheckpointError.self) { try train("gone", steps: 1, change: begins) }
    }

    @Test func `a checkpoint of another size or other bins is no beginning, and that is said`()
        throws
    {
        _ = try train("first", steps: 2)
        var options = options(steps: 2)
        options.initialCheckpoint = folder.file("first").path
        func error(
            _ data: TokenizedDataset, _ change: (inout TransformerConfiguration) -> Void
        ) -> TrainingError? {
            var configuration = configuration(data)
            change(&configuration)
            return #expect(throws: TrainingError.self) {
                try Trainer(
                    configuration, dataset: data, options: options,
                    directory: folder.file("other"), engine: .cpu)
            }
        }
        let deeper = error(try dataset()) { $0.layerCount += 1 }
        #expect(deeper?.code == .unusableInitial)
        #expect(deeper?.description.contains("layerCount") == true)
        let uniform = try PointRuns.dataset(strategy: .uniform)
        let bins = error(uniform) { _ in }
        #expect(bins?.code == .unusableInitial)
        #expect(bins?.description.contains("bins") == true)
    }
}
