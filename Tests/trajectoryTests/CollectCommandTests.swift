import Foundation
import TestSupport
import Testing

@Suite struct CollectCommandTests {
    private struct Result: Decodable {
        let transitions, episodes: Int
        let meanReturn, bestReturn: Double
    }

    private func result(_ outcome: Program.Outcome) throws -> Result {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Result.self, from: Data(outcome.output.utf8))
    }

    @Test func `a collection is a dataset, the same for any number of workers`() throws {
        let folder = try TemporaryFolder()
        var files: [Data] = []
        for workers in ["1", "2"] {
            let file = folder.file("data-\(workers).hdf5")
            let outcome = try Program.run(
                "collect", "--env", "hopper", "--policy", "mix:ars-medium+0.1=1,random=1",
                "--steps",
                "700", "--seed", "3", "--output", file.path, "--workers", workers, "--json")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let result = try result(outcome)
            #expect(result.transitions == 700)
            #expect(result.meanReturn <= result.bestReturn)
            files.append(try Data(contentsOf: file))
            let info = try Program.run("dataset", "info", file.path)
            #expect(info.output.contains("observation 11   action 3"))
            #expect(info.output.contains("hopper-v4"))
            #expect(info.output.contains("mix:ars-medium+0.1=1,random=1"))
        }
        #expect(files[0] == files[1])
    }

    @Test func `bad input gives one line and exit code 1`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("data.hdf5").path
        for (environment, policy, output, part) in [
            ("hoper", "random", file, "did you mean 'hopper-v4'"),
            ("hopper", "best", file, "cannot use the policy 'best'"),
            ("hopper", "random", "/proc/nowhere/data.hdf5", "nothing can be written in"),
        ] {
            let outcome = try Program.run(
                "collect", "--env", environment, "--policy", policy, "--steps", "10", "--output",
                output)
            #expect(outcome.status == 1)
            #expect(outcome.output == "")
            #expect(outcome.errors.hasPrefix("error: "))
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
    }

    @Test func `a trained policy can collect`() throws {
        let folder = try TemporaryFolder()
        let policy = folder.file("policy.safetensors").path
        let training = try Program.run(
            "train-behavior", "--env", "hopper", "--output", policy, "--steps", "1000",
            "--episodes",
            "2", "--snapshots", folder.file("snapshots").path)
        #expect(training.status == 0, "\(training.errors)")
        #expect(training.output.contains("over 2 episodes"))
        #expect(training.errors.contains("steps 1000"))
        let outcome = try Program.run(
            "collect", "--env", "hopper", "--policy", policy, "--steps", "50", "--output",
            folder.file("data.hdf5").path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("50 transitions"))
    }

    @Test func `a dataset is collected by its name`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("maze.hdf5")
        let outcome = try Program.run(
            "collect", "--dataset", "maze2d-umaze", "--steps", "700", "--output", file.path,
            "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try result(outcome).transitions == 700)
        let info = try Program.run("dataset", "info", file.path)
        #expect(info.output.contains("maze2d-umaze-v1"))
    }

    @Test(arguments: [
        ["--dataset", "hopper-ars-medium", "--env", "hopper"],
        ["--env", "hopper", "--policy", "random"],
        ["--policy", "random", "--steps", "3"],
    ])
    func `what to collect must be said, and once`(arguments: [String]) throws {
        let outcome = try Program.run(["collect", "--output", "x.hdf5"] + arguments)
        #expect(outcome.status == 64)
    }
}
