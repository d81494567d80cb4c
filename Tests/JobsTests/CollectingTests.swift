import Datasets
import Environments
import Episodes
import Foundation
import HDF5
import Jobs
import Policies
import RandomNumbers
import TestSupport
import Testing

@Suite struct CollectingTests {
    /// A file of a policy with numbers drawn at random.
    private func policyFile(for environment: String, in folder: TemporaryFolder) throws -> URL {
        let specification = try EnvironmentRegistry.make(environment).specification
        let sizes = [8, 4]
        var generator = PCG64(seed: 6)
        let policy = GaussianPolicy(
            layout: specification.layout, actionLimits: specification.actionLimits,
            hiddenSizes: sizes,
            parameters: (0..<GaussianPolicy.parameterCount(
                layout: specification.layout, hiddenSizes: sizes)).map { _ in
                    Float(generator.uniform(-0.3, 0.3))
                })
        let url = folder.file("policy.safetensors")
        try policy.write(to: url, metadata: ["steps": "123456", "method": "sac"])
        return url
    }

    @Test func `data of a policy that draws carry it as D4RL's do`() async throws {
        let folder = try TemporaryFolder()
        let file = try policyFile(for: "hopper", in: folder)
        var job = CollectionJob(
            .policy("sample:\(file.path)", environment: "hopper"), output: folder.file("a.hdf5"))
        job.steps = 40
        _ = try await job.run()
        let root = try HDF5File(reading: job.output).root
        #expect(try root.group("infos").members() == ["action_log_probs", "qpos", "qvel"])
        #expect(try root.dataset("infos/qpos").shape == [40, 6])
        #expect(try root.dataset("next_observations").shape == [40, 11])
        #expect(try root.dataset("metadata/iteration").integers() == [123])
        #expect(
            try root.group("metadata/policy").members()
                == [
                    "fc0", "fc1", "last_fc", "last_fc_log_std", "nonlinearity",
                    "output_distribution",
                ])
        // The weights give the log-density's mean back: they are in D4RL's order.
        let hopper = try EnvironmentRegistry.make("hopper").specification
        let policy = try GaussianPolicy(contentsOf: file, for: hopper)
        let observation = try root.dataset("observations").floats(rows: 0..<1)
        func layer(_ name: String, _ input: [Float]) throws -> [Float] {
            let weight = try root.dataset("metadata/policy/\(name)/weight").floats()
            return try root.dataset("metadata/policy/\(name)/bias").floats().enumerated().map {
                row, bias in
                input.indices.reduce(bias) { $0 + weight[row * input.count + $1] * input[$1] }
            }
        }
        let hidden = try layer("fc1", layer("fc0", observation).map { max($0, 0) })
            .map { max($0, 0) }
        let (mean, logDeviation) = policy.distribution(for: observation)
        #expect(
            absoluteError(
                try layer("last_fc", hidden).map(Double.init), mean.map(Double.init)) < 1e-5)
        #expect(
            absoluteError(
                try layer("last_fc_log_std", hidden).map(Double.init),
                logDeviation.map(Double.init)) < 1e-5)

        job = CollectionJob(
            .policy(file.path, environment: "hopper"), output: folder.file("b.hdf5"))
        job.steps = 40
        _ = try await job.run()
        let mean2 = try HDF5File(reading: job.output).root
        #expect(!mean2.contains("metadata") && !mean2.contains("infos/action_log_probs"))
    }

    @Test func `AntMaze's data say who walked, and how often it arrived`() async throws {
        let folder = try TemporaryFolder()
        var job = CollectionJob(
            .dataset("antmaze-umaze-diverse"), output: folder.file("maze.hdf5"))
        job.walker = "sample:\(try policyFile(for: "ant-goal", in: folder).path)"
        job.steps = 1000
        job.seed = 3
        let result = try await job.run()
        #expect(result.environment == "antmaze-umaze-diverse-v2" && result.transitions == 1000)
        let rate = try #require(result.successRate)
        #expect(0...1 ~= rate && (result.meanStepsToGoal != nil) == (rate > 0))
        let report = try InspectionJob(job.output).run()
        #expect(report.specification?.identifier == "antmaze-umaze-diverse-v2")
        #expect(report.summary.attributes["success_rate"] == String(format: "%.3f", rate))
        #expect(report.summary.attributes["walks"] == "1")
        #expect(report.summary.attributes["evaluation_goal"]?.split(separator: " ").count == 2)
        let root = try HDF5File(reading: job.output).root
        #expect(try root.group("infos").members() == ["goal", "qpos", "qvel"])
        #expect(try root.dataset("infos/goal").shape == [1000, 2])
    }

    @Test func `only AntMaze's data take a walker, and one alone`() async throws {
        let folder = try TemporaryFolder()
        for (dataset, walker) in [
            ("hopper-random", "random"), ("antmaze-umaze", "mix:random=1,random=2"),
        ] {
            var job = CollectionJob(.dataset(dataset), output: folder.file("none.hdf5"))
            job.walker = walker
            job.steps = 10
            let error = await #expect(throws: JobError.self) { try await job.run() }
            #expect(error?.code == .invalidSetting)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.hdf5").path))
    }
}
