import Foundation
import Jobs
import Learning
import Policies
import TestSupport
import Testing

@Suite struct BehaviorTrainingTests {
    private func searching(_ folder: TemporaryFolder) -> BehaviorTrainingJob {
        var job = BehaviorTrainingJob(
            environment: "hopper", output: folder.file("policy.safetensors"))
        var settings = RandomSearch.Settings()
        settings.directions = 1
        settings.topDirections = 1
        job.method = .randomSearch(settings)
        job.snapshots = folder.file("all")
        job.steps = 400
        job.measurementInterval = 1
        job.episodes = 1
        job.workers = 1
        return job
    }

    @Test func `a behaviour policy is the best that was measured`() async throws {
        let folder = try TemporaryFolder()
        var job = searching(folder)
        var measured: [Double] = []
        let result = try await job.run {
            if case .measurement(let now) = $0 { measured.append(now.score.mean) }
        }
        #expect(result.steps >= 400 && measured.count == result.iterations)
        #expect(result.meanReturn == measured.max())
        #expect(measured.firstIndex(of: result.meanReturn) == result.bestIteration.map { $0 - 1 })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("all").path).count
                == measured.count)
        job.targetReturn = measured[0]
        #expect(try await job.run().iterations == 1)
        job.keepsMemory = true
        let error = await #expect(throws: JobError.self) { try await job.run() }
        #expect(error?.code == .invalidSetting)
    }

    /// A few small updates in Hopper.
    private func acting(_ output: URL, steps: Int) -> BehaviorTrainingJob {
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [16, 16]
        settings.batchSize = 16
        settings.interval = 20
        settings.environments = 2
        settings.warmUp = 60
        settings.capacity = 150
        settings.seed = 3
        var job = BehaviorTrainingJob(environment: "hopper", output: output)
        job.method = .softActorCritic(settings)
        job.steps = steps
        job.measurementInterval = 80
        job.episodes = 1
        job.workers = 1
        return job
    }

    @Test func `a time limit ends a run as its steps would, with all its files`() async throws {
        let folder = try TemporaryFolder()
        var job = acting(folder.file("policy.safetensors"), steps: 1_000_000_000)
        job.measurementInterval = 1_000_000_000
        job.timeLimit = 0.2
        let result = try await job.run()
        #expect(result.steps % 20 == 0 && result.steps < 1_000_000_000)
        #expect(result.bestSteps == result.steps)
        #expect(try snapshot(folder.file("policy.safetensors")).steps == result.steps)
        for limit in [0, -1, .infinity, .nan] {
            job.timeLimit = limit
            job.output = folder.file("other.safetensors")
            await #expect(throws: JobError.self) { try await job.run() }
        }
    }

    private func snapshot(_ output: URL) throws -> SoftActorCriticSnapshot {
        try SoftActorCriticSnapshot(
            contentsOf: output.deletingPathExtension().appendingPathExtension(
                "snapshot.safetensors"))
    }

    @Test func `a run that kept its memory goes on exactly as if it had not been stopped`()
        async throws
    {
        let folder = try TemporaryFolder()
        let (whole, parted) = (folder.file("whole.safetensors"), folder.file("parted.safetensors"))
        var job = acting(whole, steps: 400)
        job.snapshots = folder.file("all")
        let result = try await job.run()
        #expect(result.steps == 400 && result.updates == 340)
        #expect(try folder.contents().contains("whole.csv"))
        let measured = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("all").path)
        #expect(
            measured.count == 5 && measured.contains { $0.hasPrefix("steps-000000080-return-") })

        job = acting(parted, steps: 240)
        job.keepsMemory = true
        _ = try await job.run()
        job.steps = 400
        let refused = await #expect(throws: JobError.self) { try await job.run() }
        #expect(refused?.code == .runExists)
        job.resumes = true
        job.workers = 2
        var notes: [String] = []
        let resumed = try await job.run { if case .note(let text) = $0 { notes.append(text) } }
        #expect(notes.isEmpty)
        #expect(resumed.meanReturn == result.meanReturn && resumed.bestSteps == result.bestSteps)
        #expect(try snapshot(parted).state == snapshot(whole).state)
        func curve(_ name: String) throws -> [[Substring]] {
            try String(contentsOf: folder.file(name), encoding: .utf8).split(separator: "\n")
                // All but the time.
                .map {
                    $0.split(separator: ",").enumerated().filter { $0.offset != 2 }.map(\.element)
                }
        }
        #expect(try curve("parted.csv") == curve("whole.csv"))
    }

    @Test func `a run whose memory was not kept fills it again, and its policy says so`()
        async throws
    {
        let folder = try TemporaryFolder()
        let output = folder.file("policy.safetensors")
        var job = acting(output, steps: 160)
        _ = try await job.run()
        job.resumes = true
        job.steps = 320
        job.snapshots = folder.file("all")
        var notes: [String] = []
        let result = try await job.run { if case .note(let text) = $0 { notes.append(text) } }
        #expect(notes.count == 1 && notes[0].contains("60 transitions"))
        // 160 steps of which 100 were followed by updates, then 160 of which 100.
        #expect(result.updates == 200)
        let measured = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("all").path)
        for name in measured {
            let metadata = try LinearPolicy.metadata(
                ofFile: folder.file("all").appendingPathComponent(name))
            #expect(metadata["memory_refilled_at"] == "160")
            #expect(metadata["method"] == "soft actor-critic" && metadata["seed"] == "3")
        }

        guard case .softActorCritic(var settings) = job.method else { return }
        settings.discount = 0.9
        job.method = .softActorCritic(settings)
        let error = await #expect(throws: JobError.self) { try await job.run() }
        #expect(error?.description.contains("discount 0.99, not 0.9") == true)
    }

    @Test func `a loss that is no number ends the run in one line, and what was saved stays`()
        async throws
    {
        let folder = try TemporaryFolder()
        let output = folder.file("policy.safetensors")
        var job = acting(output, steps: 400)
        job.engine = { try BrokenEngine(CPUSoftActorCritic($0, settings: $1, firstRow: $2)) }
        let error = await #expect(throws: LearningError.self) { try await job.run() }
        #expect(error?.code == .diverged)
        #expect(error?.description.contains("critic loss is nan") == true)
        #expect(error?.description.contains("\n") == false)
        #expect(try snapshot(output).state.isFinite)
        #expect(try snapshot(output).steps == 160)
    }
}

/// An engine whose losses are no numbers from the 150th update on.
private final class BrokenEngine: SoftActorCriticEngine, @unchecked Sendable {
    private let engine: CPUSoftActorCritic
    private var updates = 0

    init(_ engine: CPUSoftActorCritic) { self.engine = engine }

    func append(_ rows: SoftActorCriticRows) { engine.append(rows) }
    func actor() -> [Float] { engine.actor() }
    func state() -> SoftActorCriticState { engine.state() }
    func update(_ count: Int) throws -> SoftActorCriticUpdates {
        var result = try engine.update(count)
        updates += count
        if updates > 150 { result.criticLoss = .nan }
        return result
    }
}
