import Foundation
import Jobs
import TestSupport
import Testing

@Suite struct ReportTests {
    /// What the page carries.
    private func data(of page: URL) throws -> [String: Any] {
        let text = try String(contentsOf: page, encoding: .utf8)
        let begin = try #require(text.range(of: "id=\"data\">")).upperBound
        let end = try #require(text.range(of: "</script>", range: begin..<text.endIndex)).lowerBound
        return try #require(
            try JSONSerialization.jsonObject(with: Data(text[begin..<end].utf8))
                as? [String: Any])
    }

    @Test func `a run is told with its episode, curve, evaluations, tokens and attention`()
        async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        // An evaluation, printed as the tool prints it.
        var evaluation = EvaluationJob(.model(hopper.planner))
        evaluation.episodes = 3
        evaluation.maximumSteps = 8
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let results = folder.file("results.json")
        try encoder.encode(try evaluation.run()).write(to: results)

        var job = ReportJob(hopper.planner, output: folder.file("report.html"))
        job.evaluations = [results]
        job.dataset = hopper.data
        job.seed = 3
        job.maximumSteps = 12
        let result = try job.run()
        #expect(result.environment == "hopper-v4" && result.evaluations == 1)
        #expect((1...12).contains(try #require(result.steps)) && result.curve > 0)
        #expect(result.notes.isEmpty, "\(result.notes)")

        let told = try data(of: job.output)
        let episode = try #require(told["episode"] as? [String: Any])
        #expect((episode["steps"] as? [Any])?.count == result.steps)
        #expect((episode["start"] as? [String: Any])?["seed"] as? Int == 3)
        let shown = try #require((told["evaluations"] as? [[String: Any]])?.first)
        let interval = try #require(shown["interval"] as? [Double])
        let mean = try #require(shown["mean"] as? Double)
        #expect(interval[0] <= mean && mean <= interval[1] && interval[0] < interval[1])
        let dimensions = try #require(
            (told["usage"] as? [String: Any])?["dimensions"] as? [[String: Any]])
        #expect(dimensions.count == 16 && dimensions.last?["name"] as? String == "value")
        #expect((dimensions[0]["counts"] as? [Int])?.reduce(0, +) == 400)
        let attention = try #require(told["attention"] as? [String: Any])
        #expect((attention["heads"] as? [Any])?.count == 1)
        #expect((told["settings"] as? [[String: Any]])?.count == 3)
        // Nothing of the page is fetched.
        let text = try String(contentsOf: job.output, encoding: .utf8)
        #expect(!text.contains("https://") && !text.contains("src="))
    }

    @Test func `what is missing is said, and what is wrong is refused before anything is played`()
        async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = ReportJob(hopper.planner, output: folder.file("report.html"))
        job.maximumSteps = 2
        let result = try job.run()
        // Two steps hold no window of three, and nothing was evaluated.
        #expect(result.notes.count == 2, "\(result.notes)")
        #expect(try data(of: job.output)["attention"] == nil)

        job.output = folder.file("another.html")
        job.evaluations = [hopper.model.appendingPathComponent("settings.json")]
        let error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .noReport)
        job.evaluations = []
        job.maximumSteps = 0
        #expect(throws: JobError.self) { try job.run() }
        #expect(!FileManager.default.fileExists(atPath: job.output.path))
    }

    @Test func `the same report is written twice alike`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = ReportJob(hopper.planner, output: folder.file("one.html"))
        job.maximumSteps = 5
        _ = try job.run()
        var told = try data(of: job.output)
        job.output = folder.file("two.html")
        _ = try job.run()
        var again = try data(of: job.output)
        // But for what a search took.
        func poses(_ told: inout [String: Any]) -> [String] {
            let steps = (told["episode"] as? [String: Any])?["steps"] as? [[String: Any]]
            told["episode"] = nil
            return steps?.compactMap { $0["pose"] as? String } ?? []
        }
        let (first, second) = (poses(&told), poses(&again))
        #expect(first == second && !first.isEmpty)
        #expect(told as NSDictionary == again as NSDictionary)
    }
}
