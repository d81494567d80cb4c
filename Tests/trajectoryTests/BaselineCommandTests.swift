import Foundation
import TestSupport
import Testing

@Suite struct BaselineCommandTests {
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    private func collect(into folder: TemporaryFolder) throws -> String {
        let file = folder.file("data.hdf5").path
        let outcome = try Program.run(
            "collect", "--env", "hopper", "--policy", "ars-medium+0.1", "--steps", "400",
            "--output",
            file)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return file
    }

    private let quick = ["--steps", "30", "--width", "16", "--batch-size", "32"]

    @Test func `a policy is learnt, scored as a planner is, and refused elsewhere`() throws {
        let folder = try TemporaryFolder()
        let data = try collect(into: folder)
        for arguments in [
            ["--method", "bc", "--top-fraction", "0.5"], ["--method", "iql", "--expectile", "0.8"],
            ["--method", "td3+bc", "--alpha", "1", "--discount", "0.9"],
        ] {
            let file = folder.file("policy.safetensors").path
            let outcome = try Program.run(
                ["train-policy", "--dataset", data, "--output", file, "--json"] + arguments + quick)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("step 30/30"))
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            #expect(object["environment"] as? String == "hopper-v4")
            #expect(object["steps"] as? Int == 30)

            let score = try Program.run(
                "evaluate", "--policy", file, "--env", "hopper", "--episodes", "2", "--seed", "5",
                "--maximum-steps", "6", "--json")
            #expect(score.status == 0, "\(score.errors)")
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(score.output.utf8)) as? [String: Any])
            #expect(report["seeds"] as? [Int] == [5, 6])
            #expect(report["lengths"] as? [Int] == [6, 6])
            #expect(report["plans"] as? Int == 0)

            let other = try Program.run("evaluate", "--policy", file, "--env", "walker2d")
            #expect(other.status == 1)
            #expect(other.errors.contains("made for hopper-v4; walker2d-v4 has 17 and 6"))
        }
    }

    @Test func `a critic is learnt, with or without a policy`() throws {
        let folder = try TemporaryFolder()
        let data = try collect(into: folder)
        var files: [Data] = []
        for name in ["first", "second"] {
            let critic = folder.file("\(name).safetensors")
            let policy = folder.file("\(name)-policy.safetensors")
            let outcome = try Program.run(
                ["train-critic", "--dataset", data, "--output", critic.path, "--json"] + quick
                    + (name == "second" ? ["--policy", policy.path] : []))
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("\"reward_scale\""))
            files.append(try Data(contentsOf: critic))
            #expect(
                FileManager.default.fileExists(atPath: policy.path) == (name == "second"))
        }
        #expect(files[0] == files[1])

        func plan(_ critic: String) throws -> Program.Outcome {
            try Program.run(
                "evaluate", "--checkpoint", checkpoint, "--env", "hopper", "--episodes", "1",
                "--maximum-steps", "2", "--horizon", "2", "--beam-width", "4", "--objective", "q",
                "--critic", critic, "--json")
        }
        let planned = try plan(folder.file("first.safetensors").path)
        #expect(planned.status == 0, "\(planned.errors)")
        #expect(planned.output.contains("\"objective\" : \"q\""))
        let refused = try plan(folder.file("second-policy.safetensors").path)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("cannot use the critic"))
    }

    @Test(arguments: [
        ["evaluate", "--env", "hopper"],
        ["evaluate", "--env", "hopper", "--policy", "random", "--checkpoint", "x"],
        ["evaluate", "--env", "hopper", "--policy", "random", "--horizon", "3"],
        ["evaluate", "--env", "hopper", "--policy", "random", "--parallel", "2"],
        ["evaluate", "--env", "hopper", "--checkpoint", "x", "--objective", "q"],
        ["evaluate", "--env", "hopper", "--checkpoint", "x", "--critic", "c"],
        [
            "train-policy", "--method", "iql", "--top-fraction", "0.1", "--dataset", "x",
            "--output", "y",
        ],
        [
            "train-policy", "--method", "bc", "--top-fraction", "0", "--dataset", "x", "--output",
            "y",
        ],
        ["train-policy", "--method", "iql", "--alpha", "1", "--dataset", "x", "--output", "y"],
        ["train-policy", "--method", "bc", "--discount", "1", "--dataset", "x", "--output", "y"],
        ["train-policy", "--method", "dqn", "--dataset", "x", "--output", "y"],
        ["train-critic", "--steps", "0", "--dataset", "x", "--output", "y"],
    ])
    func `wrong usage is told as such`(arguments: [String]) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.output == "")
    }

    @Test func `bad data give one line and exit code 1`() throws {
        let folder = try TemporaryFolder()
        for command in [["train-policy", "--method", "bc"], ["train-critic"]] {
            let outcome = try Program.run(
                command + [
                    "--dataset", "/no/such.hdf5", "--output", folder.file("x.safetensors").path,
                ])
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("error: cannot use"), "\(outcome.errors)")
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
    }
}
