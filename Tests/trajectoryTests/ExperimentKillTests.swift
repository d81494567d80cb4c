import Foundation
import TestSupport
import Testing

/// An experiment is killed at random moments, and ends as one that was not; `TRAJECTORY_KILLS` says
/// how often (10).
@Suite struct `Experiments that are killed` {
    private static let definition = """
        title: A small one
        description: Collects, trains, evaluates.
        settings: {steps: 60}
        axes: {seed: ["1", "2"]}
        steps:
          - {name: "data {seed}", run: "collect --env hopper --policy random --steps 300 --seed {seed} --output {seed}.hdf5 --json"}
          - {name: "model {seed}", run: "train --dataset {seed}.hdf5 --output run-{seed} --config ../train.yaml --steps {steps} --workers 1 --json", resumes: "run-{seed}"}
          - {name: "policy {seed}", run: "train-policy --method bc --dataset {seed}.hdf5 --output {seed}.safetensors --steps 20 --batch-size 8 --json"}
          - {name: "score {seed}", run: "evaluate --checkpoint run-{seed} --env hopper --episodes 1 --maximum-steps 2 --horizon 2 --beam-width 2 --json"}
        """
    private static let settings = """
        model: {layers: 1, heads: 1, width: 8}
        tokenization: {windowLength: 3}
        training: {batchSize: 4, checkpointInterval: 3, evaluationInterval: 20}
        """

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("Experiments"), withIntermediateDirectories: false)
        try Data(Self.definition.utf8).write(to: folder.file("Experiments/small.yaml"))
        try Data(Self.settings.utf8).write(to: folder.file("train.yaml"))
    }

    private func arguments(_ run: String) -> [String] {
        [
            "experiment", folder.file("Experiments/small.yaml").path, "--folder",
            folder.file(run).path, "--results", folder.file(run).path, "--json",
        ]
    }

    /// What the steps made, file by file.
    private func made(_ run: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for seed in [1, 2] {
            for name in [
                "\(seed).hdf5", "run-\(seed)/weights-60.safetensors",
                "run-\(seed)/optimizer-60.safetensors", "\(seed).safetensors",
            ] {
                files[name] = try Data(contentsOf: folder.file("\(run)/\(name)"))
            }
        }
        return files
    }

    @Test func `one that is killed at any moment goes on and ends as one that was not`() throws {
        let kills = ProcessInfo.processInfo.environment["TRAJECTORY_KILLS"].flatMap(Int.init) ?? 10
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed), \(kills) kills")
        var generator = SeededGenerator(seed: seed)
        let clock = ContinuousClock()
        let start = clock.now
        let whole = try Program.run(arguments("whole"))
        try #require(whole.status == 0, "\(whole.errors)")
        let seconds = (clock.now - start) / .seconds(1)
        let expected = try made("whole")

        var done = 0
        var round = 0
        while done < kills {
            round += 1
            let run = "round-\(round)"
            var hasEnded = false
            while !hasEnded {
                let program = try RunningProgram(arguments(run), in: folder.url)
                // Twice in a round on average.
                let delay = Double.random(in: 0...(seconds / 1.5), using: &generator)
                _ = program.wait(seconds: done < kills ? delay : 600) { false }
                if program.isRunning {
                    program.send(SIGKILL)
                    done += 1
                }
                let outcome = try program.finish()
                hasEnded = outcome.status == 0
                try #require(
                    hasEnded || outcome.status == 128 + SIGKILL,
                    "kill \(done), round \(round): \(outcome.errors)")
            }
            #expect(try made(run) == expected, "round \(round)")
            let leftovers = FileManager.default.enumerator(atPath: folder.file(run).path)?
                .compactMap { $0 as? String }.filter { $0.hasSuffix(".part") }
            #expect(leftovers == [], "round \(round)")
            try FileManager.default.removeItem(at: folder.file(run))
        }
        print("\(done) kills in \(round) rounds")
    }

    @Test func `its steps end with it, and a second one is kept out`() throws {
        let first = try RunningProgram(
            arguments("run") + ["--set", "steps=1000000"], in: folder.url)
        try #require(
            first.wait { first.said.contains("step 1") || first.said.contains("step 2") },
            "\(first.said)")
        let second = try Program.run(arguments("run"))
        #expect(second.status == 1 && second.errors.contains("is writing in it"))
        first.send(SIGKILL)
        _ = try first.finish()
        // Its training would hold the lock of the run.
        let resumed = try Program.run(
            "train", "--dataset", folder.file("run/1.hdf5").path, "--output",
            folder.file("run/run-1").path, "--config", folder.file("train.yaml").path, "--workers",
            "1", "--steps", "100", "--resume")
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `one that is told to stop saves its step and goes on from there`(_ signal: Int32) throws {
        let long = ["--set", "steps=1000000"]
        let first = try RunningProgram(arguments("run") + long, in: folder.url)
        try #require(first.wait { first.said.contains("step 1") }, "\(first.said)")
        first.send(signal)
        let outcome = try first.finish()
        #expect(outcome.status == 128 + signal, "\(outcome.errors)")
        #expect(outcome.output == "")
        let last = outcome.errors.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("stopped in step 'model 1': stopped after step"), "\(last)")
        let second = try RunningProgram(arguments("run") + long, in: folder.url)
        try #require(second.wait { second.said.contains("step ") }, "\(second.said)")
        second.send(signal)
        #expect(try second.finish().errors.contains("--resume") == true)
    }
}
