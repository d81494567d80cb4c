import Foundation
import TestSupport
import Testing

/// A goal-conditioned model on the command line.
@Suite struct GoalCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func train(_ data: String, _ name: String, columns: String) throws -> Program.Outcome {
        try Program.run(
            "train", "--dataset", data, "--output", folder.file(name).path, "--goal-columns",
            columns, "--steps", "1", "--layers", "1", "--heads", "1", "--width", "8", "--window",
            "3", "--batch-size", "4")
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
                "collect", "--dataset", "pointmaze-umaze", "--steps", "400", "--output", data
            ).status == 0)
        #expect(try train(data, "run", columns: "0,1").status == 0)
        let run = folder.file("run").path
        // Two names of the same search.
        let results = try ["imitation", "likelihood"].map { objective in
            let outcome = try Program.run(
                [
                    "evaluate", "--checkpoint", run, "--objective", objective, "--horizon", "1",
                    "--beam-width", "2", "--context-transitions", "2", "--maximum-steps", "3",
                    "--env", "pointmaze-umaze", "--episodes", "2", "--until-goal", "--json",
                ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try #require(
                JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        }
        #expect(results[0]["success_rate"] is Double)
        #expect(results[0]["returns"] as? [Double] == results[1]["returns"] as? [Double])
        #expect(
            results.map { ($0["planner"] as? [String: Any])?["objective"] as? String }
                == ["likelihood", "likelihood"])

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
