import Files
import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Transformer
import TransformerCPU

@Suite struct `Runs that are stopped, damaged or shared` {
    private let world: PointRuns

    init() throws {
        world = try PointRuns()
    }

    private func file(_ run: String, _ name: String) -> URL {
        world.folder.file(run).appendingPathComponent(name)
    }

    // MARK: - Stopping and resuming

    @Test(arguments: TestedEngine.all)
    func `a run that is told to stop saves its step, and goes on as if it had not been`(
        _ tested: TestedEngine
    ) throws {
        let whole = try world.train("whole", steps: 24, on: tested.engine)
        for steps in [1, 10, 15] {
            let name = "stopped \(steps)"
            let trainer = try world.trainer(name, steps: 24, on: tested.engine)
            var asked = 0
            let end = try trainer.run(
                reportEvery: .seconds(3600),
                until: {
                    asked += 1
                    return asked == steps
                }
            ) { _ in }
            #expect(end.step == steps && end.steps == 24)
            #expect(try Checkpoint.description(in: world.folder.file(name)).step == steps)
            let resumed = try world.train(name, steps: 24, resume: true, on: tested.engine)
            #expect(resumed.trainer.model.values == whole.trainer.model.values)
            // A report's mean loss is that of all steps since the report before, resumed or not.
            let logs = try [name, "whole"].map {
                try MetricsLog.read(directory: world.folder.file($0)).map {
                    [Double($0.step), $0.loss, $0.heldOutLoss ?? 0, $0.gradientNorm]
                }
            }
            #expect(logs[0] == logs[1], "stopped after \(steps)")
        }
    }

    @Test func `a question that comes with the last step stops nothing`() throws {
        let trainer = try world.trainer("end", steps: 5)
        let end = try trainer.run(until: { trainer.options.steps == 0 }) { _ in }
        #expect(end.step == 5)
    }

    @Test func `resuming a run that is at its end says where it stands`() throws {
        let end = try world.train("end", steps: 12).reports.last
        for removesLog in [false, true] {
            if removesLog { try FileManager.default.removeItem(at: file("end", "metrics.csv")) }
            let before = try Data(contentsOf: file("end", "checkpoint.json"))
            let (trainer, reports) = try world.train("end", steps: 12, resume: true)
            let stands = try #require(reports.last)
            #expect(reports.count == 1 && stands.step == 12 && stands.steps == 12)
            #expect(stands.loss.isFinite && stands.gradientNorm.isFinite)
            #expect(stands.heldOutLoss.map { abs($0 - (end?.heldOutLoss ?? 0)) < 1e-5 } == true)
            if !removesLog { #expect(abs(stands.loss - (end?.loss ?? 0)) < 1e-5) }
            #expect(trainer.notes == ["the run has made 12 steps of 12; nothing is left to do"])
            #expect(throws: Never.self) { try JSONEncoder().encode(stands) }
            #expect(try Data(contentsOf: file("end", "checkpoint.json")) == before)
        }
    }

    @Test func `another end of the schedule and another number of workers are said`() throws {
        func notes(_ name: String, change: (inout TrainingOptions) -> Void) throws -> [String] {
            try world.trainer(name, steps: 20, resume: true, change: change).notes
        }
        _ = try world.train("run", steps: 10) {
            $0.finalTokens = nil
            $0.workers = 2
        }
        #expect(Trainer.recordedWorkers(in: world.folder.file("run")) == 2)
        var said = try notes("run") {
            $0.finalTokens = nil
            $0.workers = 2
        }
        #expect(said.count == 1 && said[0].contains("ends at step 20, no longer at 10"))
        said = try notes("run") {
            $0.finalTokens = nil
            $0.steps = 11
            $0.workers = 1
        }
        #expect(said.count == 2 && said[1].contains("by 2 workers so far, now by 1"))
        // A schedule of its own does not end with the run.
        _ = try world.train("fixed", steps: 10)
        #expect(try notes("fixed") { _ in } == [])
        #expect(Trainer.recordedWorkers(in: world.folder.file("fixed")) == nil)
    }

    @Test func `settings that are damaged are refused by file`() throws {
        _ = try world.train("run", steps: 10)
        let settings = file("run", "settings.json")
        let data = try Data(contentsOf: settings)
        var flipped = data
        flipped[data.count / 2] ^= 1
        for damaged in [data.prefix(data.count / 2), flipped] {
            try damaged.write(to: settings)
            let error = #expect(throws: CheckpointError.self) {
                try world.train("run", steps: 20, resume: true)
            }
            #expect(error?.file == settings.path)
        }
    }

    // MARK: - Two at once

    @Test func `a second trainer in the folder is refused until the first has ended`() throws {
        let first = try world.trainer("run", steps: 10)
        let error = #expect(throws: FileError.self) { try world.trainer("run", steps: 10) }
        #expect(error?.code == .busy)
        try first.run { _ in }
        #expect(throws: TrainingError.self) { try world.trainer("run", steps: 10) }
        _ = try world.trainer("run", steps: 20, resume: true)
    }

    @Test func `who reads beside a running training finds a whole checkpoint each time`() throws {
        let url = world.folder.file("run")
        let trainer = try world.trainer("run", steps: 300) {
            $0.checkpointInterval = 1
            $0.evaluationInterval = 300
        }
        let isDone = Flag()
        let reader = InBackground {
            var steps: [Int] = []
            repeat {
                guard Checkpoint.exists(in: url) else { continue }
                let checkpoint = try Checkpoint(directory: url)
                #expect(checkpoint.passedOver == nil)
                steps.append(checkpoint.description.step)
            } while !isDone.isSet
            return steps
        }
        try trainer.run { _ in }
        isDone.set()
        let steps = try reader.value()
        #expect(steps == steps.sorted() && Set(steps).count > 1)
    }

    // MARK: - Damage

    /// A run with checkpoints of steps 10 and 20.
    private func damaged(_ name: String, _ file: String, _ damage: (inout Data) -> Void) throws {
        if !Checkpoint.exists(in: world.folder.file(name)) { _ = try world.train(name, steps: 20) }
        let url = self.file(name, file)
        var data = try Data(contentsOf: url)
        damage(&data)
        try data.write(to: url)
    }

    @Test func `the last two checkpoints are kept, and nothing else`() throws {
        _ = try world.train("run", steps: 40)
        for name in [".weights-30.safetensors.0123ABCD.part", ".dat.nosync1.abc"] {
            try Data("half".utf8).write(to: file("run", name))
        }
        _ = try world.train("run", steps: 50, resume: true)
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: world.folder.file("run").path
            ).sorted() == [
                ".lock", "checkpoint-previous.json", "checkpoint.json", "metrics.csv",
                "optimizer-40.safetensors", "optimizer-50.safetensors", "settings.json",
                "weights-40.safetensors", "weights-50.safetensors",
            ])
    }

    @Test(arguments: ["checkpoint.json", "weights-20.safetensors", "optimizer-20.safetensors"])
    func `where the newest is damaged the one before it is taken, with a line`(_ name: String)
        throws
    {
        let whole = try world.train("whole", steps: 30)
        for (run, damage) in [
            ("cut", { (data: inout Data) in data = data.prefix(data.count / 2) }),
            ("flipped", { $0[$0.count / 2] ^= 0x10 }), ("empty", { $0 = Data() }),
            ("zeros", { $0.replaceSubrange(($0.count - 64)..., with: Data(count: 64)) }),
        ] as [(String, (inout Data) -> Void)] {
            try damaged(run, name, damage)
            let url = world.folder.file(run)
            if name != "optimizer-20.safetensors" {
                let checkpoint = try Checkpoint(directory: url)
                #expect(checkpoint.description.step == 10)
                let line = try #require(checkpoint.passedOver)
                #expect(line.contains(name) && line.contains("of step 10"))
                #expect(!line.contains("\n"))
            }
            let (trainer, _) = try world.train(run, steps: 30, resume: true)
            #expect(trainer.notes.first?.contains(name) == true, "\(run): \(trainer.notes)")
            #expect(trainer.model.values == whole.trainer.model.values)
            #expect(try Checkpoint(directory: url).passedOver == nil)
        }
    }

    @Test func `where both are damaged the newest is refused by name`() throws {
        for step in [10, 20] {
            try damaged("run", "weights-\(step).safetensors") { $0[$0.count / 2] ^= 1 }
        }
        let error = #expect(throws: (any Error).self) {
            try Checkpoint(directory: world.folder.file("run"))
        }
        #expect("\(try #require(error))".contains("weights-20.safetensors"))
    }

    @Test func `no flipped bit and no cut of a checkpoint is used`() throws {
        _ = try world.train("run", steps: 10)
        let seed: UInt64 = 14
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for name in ["checkpoint.json", "weights-10.safetensors", "optimizer-10.safetensors"] {
            let url = file("run", name)
            let data = try Data(contentsOf: url)
            for _ in 0..<60 {
                var damaged = data
                let bit = Int.random(in: 0..<(8 * data.count), using: &generator)
                if Bool.random(using: &generator) {
                    damaged[bit / 8] ^= 1 << (bit % 8)
                } else {
                    damaged = data.prefix(bit / 8)
                }
                try damaged.write(to: url)
                #expect(throws: (any Error).self, "\(name), bit \(bit)") {
                    try world.trainer("run", steps: 20, resume: true)
                }
            }
            try data.write(to: url)
        }
        _ = try world.trainer("run", steps: 20, resume: true)
    }

    @Test func `tensors of another run are refused although they are whole`() throws {
        _ = try world.train("run", steps: 10)
        _ = try world.train("other", steps: 10) { $0.seed = 9 }
        for name in ["weights-10.safetensors", "optimizer-10.safetensors"] {
            let (own, other) = (file("run", name), file("other", name))
            let data = try Data(contentsOf: own)
            try Data(contentsOf: other).write(to: own)
            let error = #expect(throws: CheckpointError.self) {
                try world.trainer("run", steps: 20, resume: true)
            }
            #expect(error?.code == .mismatch && error?.file == own.path)
            try data.write(to: own)
        }
    }

    @Test func `a checkpoint without checksums, as they once were, is read`() throws {
        let values = try world.train("run", steps: 10).trainer.model.values
        let url = file("run", "checkpoint.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        for key in ["checksum", "checksums", "losses"] { object[key] = nil }
        try JSONSerialization.data(withJSONObject: object).write(to: url)
        for name in ["weights-10.safetensors", "optimizer-10.safetensors"] {
            var data = try Data(contentsOf: file("run", name))
            let place = try #require(data.range(of: Data("\"checksum\"".utf8)))
            data.replaceSubrange(place, with: Data("\"chuckles\"".utf8))
            try data.write(to: file("run", name))
        }
        #expect(try Checkpoint(directory: world.folder.file("run")).model.values == values)
        let resumed = try world.train("run", steps: 20, resume: true).trainer
        #expect(try resumed.model.values == world.train("whole", steps: 20).trainer.model.values)
    }

    @Test(arguments: [
        ("step", "-5", "step must be at least 0"), ("tokens", "-1", "tokens must be at least 0"),
        ("weights", "../weights-10.safetensors", "lie beside it"),
        ("optimizer", "a/b", "lie beside it"),
    ])
    func `a description that cannot be is refused`(_ key: String, _ value: String, _ part: String)
        throws
    {
        _ = try world.train("run", steps: 10)
        let url = file("run", "checkpoint.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        object["checksum"] = nil
        object[key] = Int(value) ?? value
        try JSONSerialization.data(withJSONObject: object).write(to: url)
        let error = #expect(throws: CheckpointError.self) {
            try Checkpoint(directory: world.folder.file("run"))
        }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func `weights that are no finite numbers are refused when read`() throws {
        _ = try world.train("run", steps: 10)
        let url = world.folder.file("run")
        var checkpoint = try Checkpoint(directory: url)
        var values = checkpoint.model.values
        values[values.count / 2] = .nan
        checkpoint.model = TrajectoryTransformer(checkpoint.model.configuration, values: values)
        checkpoint.description.step = 11
        try checkpoint.write(to: url)
        let found = try Checkpoint(directory: url)
        #expect(found.description.step == 10)
        #expect(found.passedOver?.contains("holds what is no finite number") == true)
    }
}
