import Foundation
import TestSupport
import Testing

/// A goal-conditioned model on the command line.
@Suite struct GoalCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func train(
        _ data: String, _ name: String, columns: String, more: [String] = []
    ) throws -> Program.Outcome {
        try Program.run(
            [
                "train", "--dataset", data, "--output", folder.file(name).path, "--goal-columns",
                columns, "--steps", "1", "--layers", "1", "--heads", "1", "--width", "8",
                "--window", "3", "--batch-size", "4",
            ] + more)
    }

    private func requireOneLine(_ outcome: Program.Outcome, _ part: String) {
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("error: "))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test func `a model is trained for goals in a maze and told them in each episode`() throws {
        let data = folder.file("maze.hdf5").path
        #expect(
            try Program.run(
                "collect", "--dataset", "pointmaze-umaze@5", "--until-goal", "--steps", "400",
                "--output", data
            ).status == 0)
        #expect(try train(data, "run", columns: "0,1").status == 0)
        let run = folder.file("run").path
        // Two names of the same search.
        let results = try ["imitation", "likelihood"].map { objective in
            let outcome = try Program.run(
                [
                    "evaluate", "--checkpoint", run, "--objective", objective, "--horizon", "1",
                    "--beam-width", "2", "--context-transitions", "2", "--maximum-steps", "3",
                    "--env", "pointmaze-umaze@5", "--episodes", "2", "--until-goal", "--json",
                    "--paths", folder.file("paths.svg").path,
                ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try #require(
                JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        }
        #expect(results[0]["success_rate"] is Double)
        #expect(results[0]["environment"] as? String == "pointmaze-umaze-v3@5")
        #expect(results[0]["returns"] as? [Double] == results[1]["returns"] as? [Double])
        #expect(
            results.map { ($0["planner"] as? [String: Any])?["objective"] as? String }
                == ["likelihood", "likelihood"])
        let drawing = try String(contentsOf: folder.file("paths.svg"), encoding: .utf8)
        #expect(drawing.contains("2 reached the goal"))

        // In a maze with one start and one goal, all shaded by time.
        let pair = try Program.run(
            [
                "evaluate", "--checkpoint", run, "--objective", "imitation", "--horizon", "1",
                "--beam-width", "2", "--context-transitions", "2", "--maximum-steps", "3",
                "--env", "pointmaze:11111;1r0g1;11111@5", "--episodes", "9", "--parallel", "9",
                "--paths", folder.file("routes.svg").path, "--paths-by-time",
            ])
        #expect(pair.status == 0, "\(pair.errors)")
        let routes = try String(contentsOf: folder.file("routes.svg"), encoding: .utf8)
        #expect(routes.contains("of 9 reached the goal") && routes.contains("last step"))
        #expect(routes.contains("pointmaze: ") && !routes.contains("1r0g1"))
        #expect(!drawing.contains("last step"))
        let alone = try Program.run("evaluate", "--checkpoint", run, "--paths-by-time")
        #expect(alone.status == 64 && alone.errors.contains("is for --paths"))

        // A run from before there was a choice of goals goes on by the rule that there was.
        let settings = folder.file("run").appendingPathComponent("settings.json")
        var record = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: settings)) as? [String: Any])
        var tokenization = try #require(record["tokenization"] as? [String: Any])
        #expect(tokenization.removeValue(forKey: "goalRule") as? String == "later")
        (record["tokenization"], record["checksum"]) = (tokenization, nil)
        try JSONSerialization.data(withJSONObject: record).write(to: settings)
        func resumed(_ rule: String) throws -> Program.Outcome {
            try Program.run(
                "train", "--dataset", data, "--output", run, "--resume", "--steps", "2",
                "--goal-rule", rule)
        }
        requireOneLine(try resumed("last"), "goalRule later, not last")
        #expect(try resumed("later").status == 0)
        let ends = try train(data, "ends", columns: "0,1", more: ["--goal-rule", "last"])
        #expect(ends.status == 0, "\(ends.errors)")
        let kept = try String(
            contentsOf: folder.file("ends").appendingPathComponent("checkpoint.json"),
            encoding: .utf8)
        #expect(kept.contains("\"goalRule\" : \"last\""), "\(kept)")
        for rule in ["last", "later"] {
            let without = try Program.run(
                "train", "--dataset", data, "--output", folder.file("no").path, "--goal-rule",
                rule)
            #expect(without.status == 64, "\(without.errors)")
            #expect(without.errors.contains("is for --goal-columns"), "\(without.errors)")
        }

        requireOneLine(try train(data, "far", columns: "1,4"), "column 4")
        let text = try train(data, "text", columns: "0,x")
        #expect(text.status == 64 && text.errors.contains("0,x"))

        // Velocities are columns of the observation, but no place.
        #expect(try train(data, "speed", columns: "2,3").status == 0)
        requireOneLine(
            try Program.run(
                "evaluate", "--checkpoint", folder.file("speed").path, "--env", "pointmaze-umaze"),
            "--goal-columns 0,1")
        requireOneLine(
            try Program.run("benchmark", "plan", "--checkpoint", run), "trained to reach goals")
    }

    @Test func `a policy is learnt for goals and told them in each episode`() throws {
        let data = folder.file("maze.hdf5").path
        let collection = try Program.run(
            "collect", "--dataset", "pointmaze-open@5", "--until-goal", "--steps", "3000",
            "--output", data)
        #expect(collection.status == 0, "\(collection.errors)")
        let policy = folder.file("bc.safetensors").path
        let training = try Program.run(
            "train-policy", "--method", "bc", "--dataset", data, "--goal-columns", "0,1",
            "--steps", "400", "--width", "32", "--learning-rate", "0.003", "--output", policy)
        #expect(training.status == 0, "\(training.errors)")
        let outcome = try Program.run(
            "evaluate", "--policy", policy, "--episodes", "8", "--until-goal", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        let (rate, length, shortest) = (
            try #require(object["success_rate"] as? Double),
            try #require(object["mean_path_length"] as? Double),
            try #require(object["mean_shortest_path"] as? Double)
        )
        print("reached \(rate) of the goals by \(length) m of \(shortest) m")
        #expect(rate >= 0.5 && length > shortest && shortest > 0)

        requireOneLine(
            try Program.run(
                "train-policy", "--method", "bc", "--dataset", data, "--goal-columns", "0,9",
                "--output", policy), "column 9")
        let elsewhere = try Program.run(
            "evaluate", "--policy", policy, "--env", "pointmaze-open", "--maximum-steps", "2")
        #expect(elsewhere.status == 0)
        #expect(elsewhere.errors.contains("trained for pointmaze-open-v3@5"))
        requireOneLine(
            try Program.run("evaluate", "--policy", "random"), "does not name its environment")
        requireOneLine(
            try Program.run("evaluate", "--policy", policy, "--env", "antmaze-umaze"),
            "it takes 4 observation")
        requireOneLine(
            try Program.run(
                "evaluate", "--policy", "random", "--env", "hopper", "--paths",
                folder.file("paths.png").path), "hopper-v4 is no maze")
        requireOneLine(
            try Program.run(
                "collect", "--dataset", "hopper-ars-medium", "--until-goal", "--output", data),
            "leave out --until-goal")
        let usage = try Program.run(
            "train-policy", "--method", "iql", "--goal-columns", "0,1", "--dataset", data,
            "--output", policy)
        #expect(usage.status == 64)
    }

    @Test func `a model for goals is refused where there are none`() throws {
        let data = folder.file("hopper.hdf5").path
        #expect(
            try Program.run(
                "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output",
                data
            ).status == 0)
        #expect(try train(data, "run", columns: "0").status == 0)
        requireOneLine(
            try Program.run(
                "evaluate", "--checkpoint", folder.file("run").path, "--env", "hopper"),
            "hopper-v4 has none")
    }
}
