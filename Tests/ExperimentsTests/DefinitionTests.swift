import Experiments
import Foundation
import TestSupport
import Testing

@Suite struct `An experiment's definition` {
    static let text = """
        title: Robots
        description: What is done.
        settings:
          episodes: 10
          rate: 2e-3
          horizon: {hopper: 15, walker: 5}
        axes:
          robot: [hopper, walker]
          steps: [100, 400]
        quick:
          settings: {episodes: 2}
          axes: {robot: [walker]}
        steps:
          - {name: "data {robot}", run: "collect --env {robot} --output {robot}.hdf5"}
          - name: model {steps} {robot}
            run: train --dataset {robot}.hdf5 --learning-rate {rate} --steps {steps} --output {robot}-{steps}
            resumes: "{robot}-{steps}"
          - {name: "score {steps} {robot}", run: "evaluate --checkpoint {robot}-{steps} --horizon {horizon} --episodes {episodes}"}
          - {name: "outside {robot}", reference: "reference.py --dataset {robot}.hdf5"}
        """

    @Test
    func `is expanded over the axes that the names of its steps mention, the first the slowest`()
        throws
    {
        let experiment = try Experiment(definition(Self.text))
        #expect(
            experiment.steps.map(\.name) == [
                "data hopper", "data walker",
                "model 100 hopper", "model 100 walker", "model 400 hopper", "model 400 walker",
                "score 100 hopper", "score 100 walker", "score 400 hopper", "score 400 walker",
                "outside hopper", "outside walker",
            ])
        #expect(
            experiment.steps[5].arguments.joined(separator: " ")
                == "train --dataset walker.hdf5 --learning-rate 2e-3 --steps 400 --output walker-400"
        )
        #expect(experiment.steps[5].resumes == "walker-400")
        #expect(experiment.steps[11].program == .reference)
    }

    @Test func `axes that multiply beyond reason are refused`() throws {
        let values = (0..<101).map { "v\($0)" }.joined(separator: ", ")
        let text = """
            title: A
            description: D
            axes: {a: [\(values)], b: [\(values)]}
            steps: [{name: "s {a} {b}", run: "collect --output {a}{b}"}]
            """
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("a.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let definition = try ExperimentDefinition(contentsOf: file)
        let error = #expect(throws: ExperimentError.self) { try Experiment(definition) }
        #expect(error?.description.contains("must be at most 10000, found 10201") == true)
    }

    @Test func `may have a setting for each value of an axis`() throws {
        let steps = try Experiment(definition(Self.text)).steps
        #expect(steps[6].arguments.contains("15"))
        #expect(steps[7].arguments.contains("5"))
    }

    @Test func `has a quick size, and settings and axes can be replaced`() throws {
        let quick = try Experiment(definition(Self.text), quick: true)
        #expect(quick.steps.map(\.name).filter { $0.hasPrefix("data") } == ["data walker"])
        #expect(quick.steps.last { $0.name.hasPrefix("score") }?.arguments.last == "2")
        let replaced = try Experiment(
            definition(Self.text), overrides: ["episodes": "7", "steps": "5,6,7"])
        #expect(replaced.steps.count == 2 + 6 + 6 + 2)
        #expect(replaced.steps.last { $0.name.hasPrefix("score") }?.arguments.last == "7")
    }

    @Test(arguments: [
        ("  episodes: 10", "  episodes: 10\n  - 3", "block"),
        ("title: Robots", "titel: Robots", "there is no key 'titel'"),
        ("title: Robots\n", "", "'title' is missing"),
        ("    resumes:", "    resume:", "'steps.2': there is no key 'resume'"),
        ("{episodes: 2}", "{episode: 2}", "names 'episode', which is neither"),
        ("name: model {steps} {robot}", "name: model {robot}", "uses axis 'steps'"),
        ("{robot: [walker]}", "{robots: [walker]}", "names 'robots', which is neither"),
        ("walker: 5}", "ant: 5}", "setting 'horizon' has no value for any of 100, walker"),
        ("outside {robot}", "data {robot}", "two steps are named 'data walker'"),
    ])
    func `that is wrong is refused in one line that names the place`(
        present: String, changed: String, reason: String
    ) throws {
        let text = Self.text.replacing(present, with: changed)
        #expect(text != Self.text)
        let error = try #require(throws: ExperimentError.self) {
            _ = try Experiment(definition(text), quick: true)
            _ = try Experiment(definition(text))
        }
        #expect(error.description.contains(reason))
        #expect(!error.description.contains("\n"))
    }

    @Test func `refuses settings that it does not have`() throws {
        let error = try #require(throws: ExperimentError.self) {
            try Experiment(definition(Self.text), overrides: ["beam": "3"])
        }
        #expect(
            error.description == "cannot use experiment 'robots': it has no setting or axis 'beam'")
    }

    @Test func `of the project is whole, in both sizes`() throws {
        let definitions = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Experiments")
        let files = try FileManager.default.contentsOfDirectory(
            at: definitions, includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == "yaml" }
        #expect(files.count >= 6)
        for file in files {
            let definition = try ExperimentDefinition(contentsOf: file)
            for quick in [false, true] {
                let experiment = try Experiment(definition, quick: quick)
                #expect(!experiment.steps.isEmpty)
                // Every table and chart finds its steps.
                let folder = try TemporaryFolder()
                let results = try ExperimentResults(
                    of: experiment, publishedIn: folder.url.appendingPathComponent("none"),
                    folder: nil)
                try ResultsPage(results, command: "").write(to: folder.url, picturesOf: nil)
            }
        }
    }
}

/// A definition from its text.
func definition(_ text: String) throws -> ExperimentDefinition {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("robots.yaml")
    try Data(text.utf8).write(to: file)
    return try ExperimentDefinition(contentsOf: file)
}
