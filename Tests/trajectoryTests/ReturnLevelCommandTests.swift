import Foundation
import TestSupport
import Testing

/// Levels of return on the command line.
@Suite struct ReturnLevelCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func train(_ name: String, _ more: [String]) throws -> Program.Outcome {
        let data = folder.file("data.hdf5").path
        if !FileManager.default.fileExists(atPath: data) {
            let made = try Program.run(
                "collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output",
                data)
            #expect(made.status == 0, "\(made.errors)")
        }
        return try Program.run(
            [
                "train", "--dataset", data, "--output", folder.file(name).path, "--steps", "1",
                "--layers", "1", "--heads", "1", "--width", "8", "--window", "3", "--batch-size",
                "4",
            ] + more)
    }

    private func evaluate(_ name: String, _ more: [String]) throws -> Program.Outcome {
        try Program.run(
            [
                "evaluate", "--checkpoint", folder.file(name).path, "--env", "hopper",
                "--episodes", "1", "--maximum-steps", "3", "--beam-width", "2", "--json",
            ] + more)
    }

    @Test func `plans act by a level that the model knows, and a record keeps it`() throws {
        #expect(try train("run", ["--return-levels", "4"]).status == 0)
        let outcome = try evaluate("run", ["--return-level", "2"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let result = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect((result["planner"] as? [String: Any])?["return_level"] as? Int == 2)
        #expect(try evaluate("run", []).status == 0)
        let guided = try evaluate("run", ["--preset", "mean-action", "--level-guidance", "3"])
        #expect(guided.status == 0, "\(guided.errors)")
        let record = try #require(
            JSONSerialization.jsonObject(with: Data(guided.output.utf8)) as? [String: Any])
        let planner = try #require(record["planner"] as? [String: Any])
        #expect(planner["level_guidance"] as? Double == 3)
        #expect(planner["averaged_rows"] as? Int == 2 && planner["horizon"] as? Int == 1)
    }

    @Test func `levels that are none are one line that names the option`() throws {
        #expect(try train("run", ["--return-levels", "4"]).status == 0)
        for level in ["5", "0"] {
            let outcome = try evaluate("run", ["--return-level", level])
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("cannot be \(level): give a level from 1 to 4")
                    && outcome.errors.contains("(--return-level)"), "\(outcome.errors)")
        }
        #expect(try train("plain", []).status == 0)
        let plain = try evaluate("plain", ["--level-guidance", "2"])
        #expect(
            plain.status == 1 && plain.errors.contains("(--level-guidance)"), "\(plain.errors)")
        let outcome = try train("other", ["--return-levels", "1"])
        #expect(outcome.status != 0)
        #expect(
            outcome.errors.contains("--return-levels must lie in [2, 99]"), "\(outcome.errors)")
    }
}
