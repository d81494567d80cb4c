import Experiments
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct `Running an experiment` {
    static let text = """
        title: Robots
        description: What is done.
        settings: {rows: 10, rate: 1}
        axes: {robot: [hopper, walker]}
        steps:
          - {name: "data {robot}", run: "collect --rows {rows} --output {robot}.hdf5"}
          - {name: "model {robot}", run: "train --dataset {robot}.hdf5 --rate {rate} --output {robot}", resumes: "{robot}"}
          - {name: "score {robot}", run: "evaluate --checkpoint {robot}"}
          - {name: "outside {robot}", reference: "reference.py --dataset {robot}.hdf5"}
        """

    /// Runs in `folder` and returns the names of the steps that ran, with `+` where a run was
    /// resumed.
    private func run(
        _ folder: TemporaryFolder, _ overrides: [String: String] = [:], failing: String? = nil,
        programs: Set<ExperimentStep.Program> = [.trajectory],
        selected: (ExperimentStep) -> Bool = { _ in true }
    ) async throws -> [String] {
        let ran = Mutex<[String]>([])
        try await runner(folder, overrides, programs).run(selected: selected) {
            step, arguments, _ in
            ran.withLock { $0.append(step.name + (arguments.last == "--resume" ? "+" : "")) }
            if let output = step.outputs.first, step.resumes != nil {
                let run = folder.url.appendingPathComponent(output)
                try FileManager.default.createDirectory(
                    at: run, withIntermediateDirectories: true)
                try Data().write(to: run.appendingPathComponent("checkpoint.json"))
            }
            if step.name == failing {
                throw ExperimentError(code: .step, subject: step.name, detail: "stopped")
            }
            return .object(["score": .number(1)])
        }
        return ran.withLock(\.self)
    }

    private func runner(
        _ folder: TemporaryFolder, _ overrides: [String: String] = [:],
        _ programs: Set<ExperimentStep.Program> = [.trajectory]
    ) throws -> ExperimentRunner {
        ExperimentRunner(
            try Experiment(definition(Self.text), overrides: overrides), in: RunFolder(folder.url),
            programs: programs, commit: "abc", machine: "a machine")
    }

    @Test func `runs every step once`() async throws {
        let folder = try TemporaryFolder()
        #expect(
            try await run(folder) == [
                "data hopper", "data walker", "model hopper", "model walker", "score hopper",
                "score walker",
            ])
        #expect(try await run(folder) == [])
        #expect(
            try runner(folder).states
                == Array(repeating: .done, count: 6) + [.unavailable, .unavailable])
    }

    @Test func `leaves out other projects' programs until they are there`() async throws {
        let folder = try TemporaryFolder()
        _ = try await run(folder)
        #expect(
            try await run(folder, programs: [.trajectory, .reference])
                == ["outside hopper", "outside walker"])
    }

    @Test func `goes on where it was stopped, with the training that was`() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: ExperimentError.self) {
            try await run(folder, failing: "model hopper")
        }
        #expect(try runner(folder).states.prefix(4) == [.done, .done, .open, .open])
        #expect(
            try await run(folder)
                == ["model hopper+", "model walker", "score hopper", "score walker"])
    }

    @Test func `runs again what a changed setting reaches, and nothing else`() async throws {
        let folder = try TemporaryFolder()
        _ = try await run(folder)
        #expect(
            try await run(folder, ["rate": "2"])
                == ["model hopper+", "model walker+", "score hopper", "score walker"])
    }

    @Test func `runs a part, and says what the part is missing`() async throws {
        let folder = try TemporaryFolder()
        let error = await #expect(throws: ExperimentError.self) {
            try await run(folder) { $0.name == "model hopper" }
        }
        #expect(
            error?.description
                == "step 'model hopper' failed: it reads what 'data hopper' makes, which is not "
                + "done; run that too")
        #expect(try await run(folder) { $0.name.contains("hopper") }.count == 3)
    }
}
