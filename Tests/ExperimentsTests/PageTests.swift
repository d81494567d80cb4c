import Experiments
import Foundation
import TestSupport
import Testing

@Suite struct `A page of results` {
    static let text = """
        title: Robots
        paper: section 9
        description: What is done.
        findings: What came of it.
        settings: {episodes: 3}
        axes: {robot: [hopper, walker], steps: [1, 10]}
        tables:
          - title: Scores
            rows: "{robot}"
            mean: true
            bars: means.svg
            note: Over {episodes} episodes.
            columns:
              - {name: "after {steps}", step: "score {steps} {robot}", key: score, error: spread}
              - {name: percent, step: "score 10 {robot}", key: methods.ours.by_step.1, scale: 100, digits: 0}
          - title: Over all steps
            rows: "{robot}"
            columns: [{name: all, step: "score {steps} {robot}", key: score, over: steps}]
        charts:
          - {file: trend.svg, title: Trend, x: steps, x_label: steps, y_label: score, series: "{robot}", step: "score {steps} {robot}", key: score}
        steps:
          - name: score {steps} {robot}
            run: evaluate --env {robot} --steps {steps}
            figures: [{file: "{robot}-{steps}.png", caption: "The {robot} after {steps} steps"}]
        """

    /// The page after the steps of `robots` have run, each with `steps` as its score.
    private func page(_ folder: TemporaryFolder, robots: Set<String> = ["hopper", "walker"])
        async throws
        -> String
    {
        let experiment = try Experiment(definition(Self.text))
        let run = RunFolder(folder.url.appendingPathComponent("run"))
        try await ExperimentRunner(
            experiment, in: run, commit: "abc", machine: "2 cores of a thing"
        )
        .run(selected: { step in robots.contains { step.name.hasSuffix($0) } }) {
            step, arguments, _ in
            let steps = Double(arguments.last ?? "") ?? .nan
            let picture = step.figures[0].file
            try Data("png".utf8).write(to: run.url.appendingPathComponent(picture))
            return .object([
                "score": .number(steps), "spread": .number(0.25),
                "methods": .array([
                    .object([
                        "name": .string("ours"),
                        "by_step": .array([.number(0), .number(0.125)]),
                    ])
                ]),
            ])
        }
        let results = try ExperimentResults(
            of: experiment, publishedIn: folder.url.appendingPathComponent("robots.jsonl"),
            folder: run)
        let page = try ResultsPage(results, command: "trajectory experiment robots")
            .write(to: folder.url, picturesOf: run)
        return try String(contentsOf: page, encoding: .utf8)
    }

    @Test func `has tables, charts and pictures of what ran`() async throws {
        let folder = try TemporaryFolder()
        let text = try await page(folder)
        #expect(
            text.contains(
                """
                |  | after 1 | after 10 | percent |
                |---|---:|---:|---:|
                | hopper | 1.0 ± 0.3 | 10.0 ± 0.3 | 13 |
                | walker | 1.0 ± 0.3 | 10.0 ± 0.3 | 13 |
                | **mean** | 1.0 | 10.0 | 13 |

                Over 3 episodes.
                """))
        // The mean of 1 and 10, and the standard error of two values: half their distance.
        #expect(text.contains("| hopper | 5.5 ± 4.5 |\n| walker | 5.5 ± 4.5 |"))
        #expect(text.contains("![Scores, the means](images/robots-means.svg)"))
        let bars = try String(
            contentsOf: folder.url.appendingPathComponent("images/robots-means.svg"),
            encoding: .utf8)
        #expect(bars.contains("after 10 10.0") && bars.contains("percent 12.5"))
        #expect(text.contains("![Trend](images/robots-trend.svg)"))
        #expect(text.contains("*The walker after 10 steps*"))
        #expect(text.contains("What came of it."))
        #expect(text.contains("2 cores of a thing"))
        #expect(text.contains("Commit: abc"))
        for file in ["robots-trend.svg", "robots-hopper-1.png", "robots-walker-10.png"] {
            let url = folder.url.appendingPathComponent("images/\(file)")
            #expect(FileManager.default.fileExists(atPath: url.path))
        }
    }

    @Test func `shows dashes for what has not run, and no mean over fewer rows`() async throws {
        let folder = try TemporaryFolder()
        let text = try await page(folder, robots: ["hopper"])
        #expect(text.contains("| walker | – | – | – |"))
        #expect(text.contains("| **mean** | – | – | – |"))
        #expect(text.contains("2 were not run") && !text.contains("robots-means.svg"))
    }

    @Test func `keeps what was published when the run folder is gone`() async throws {
        let folder = try TemporaryFolder()
        let whole = try await page(folder)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("run"))
        let results = try ExperimentResults(
            of: Experiment(definition(Self.text)),
            publishedIn: folder.url.appendingPathComponent("robots.jsonl"), folder: nil)
        let page = try ResultsPage(results, command: "trajectory experiment robots")
            .write(to: folder.url, picturesOf: nil)
        #expect(try String(contentsOf: page, encoding: .utf8) == whole)
    }

    @Test func `publishes records as they were read, to the millisecond`() async throws {
        let folder = try TemporaryFolder()
        _ = try await page(folder)
        let file = folder.url.appendingPathComponent("robots.jsonl")
        let recorded = try String(contentsOf: file, encoding: .utf8)
        for millisecond in stride(from: 1, to: 1000, by: 37) {
            let fraction = String(format: ".%03dZ", millisecond)
            let text = recorded.replacing(/\.[0-9]{3}Z/, with: fraction)
            #expect(text.contains(fraction))
            try text.write(to: file, atomically: true, encoding: .utf8)
            try ExperimentResults(
                of: Experiment(definition(Self.text)), publishedIn: file, folder: nil
            ).write(to: file)
            #expect(try String(contentsOf: file, encoding: .utf8) == text)
        }
    }

    @Test func `refuses a table that names a number which is not there`() async throws {
        let folder = try TemporaryFolder()
        _ = try await page(folder)
        let text = Self.text.replacing("methods.ours.by_step.1", with: "methods.theirs.by_step.1")
        let results = try ExperimentResults(
            of: Experiment(definition(text)),
            publishedIn: folder.url.appendingPathComponent("robots.jsonl"), folder: nil)
        let error = #expect(throws: ExperimentError.self) {
            try ResultsPage(results, command: "").write(to: folder.url, picturesOf: nil)
        }
        #expect(
            error?.description
                == "cannot use experiment 'robots': the result of step 'score 10 hopper' has no "
                + "number 'methods.theirs.by_step.1'")
    }

    @Test func `refuses a results file that was damaged`() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("robots.jsonl")
        try Data("{\"name\": 3}\n".utf8).write(to: file)
        let error = #expect(throws: ExperimentError.self) {
            try ExperimentResults(
                of: Experiment(definition(Self.text)), publishedIn: file, folder: nil)
        }
        #expect(error?.description.contains("line 1 is no record of a step") == true)
    }
}
