import Foundation
import Testing

@Suite struct EnvironmentsCommandTests {
    @Test func `the list says dimensions, limits and reference scores`() throws {
        let outcome = try Program.run("environments", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        struct Entry: Decodable {
            let name: String
            let observationDimension, actionDimension, maximumEpisodeSteps: Int
            let actionHigh: [Double]
            let expertScore: Double?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let entries = try decoder.decode([Entry].self, from: Data(outcome.output.utf8))
        let ant = try #require(entries.first { $0.name == "ant-v4-contact" })
        #expect(ant.observationDimension == 111 && ant.actionDimension == 8)
        #expect(ant.expertScore == 3879.7)
        let humanoid = try #require(entries.first { $0.name == "humanoid-v5" })
        #expect(humanoid.actionHigh == Array(repeating: 0.4, count: 17))
        #expect(humanoid.expertScore == nil)
        #expect(entries.contains { $0.name == "antmaze-umaze-v5" && $0.maximumEpisodeSteps == 700 })
    }

    @Test func `single environments are shown as a table`() throws {
        let outcome = try Program.run("environments", "hopper", "maze2d-large")
        #expect(outcome.output.split(separator: "\n").count == 3)
        #expect(outcome.output.contains("maze2d-large-v1"))
        #expect(outcome.output.contains("3234.3"))
    }

    @Test func `a benchmark of environments prints its speed`() throws {
        let outcome = try Program.run(
            "benchmark", "environments", "--env", "pointmaze-umaze", "--copies", "3", "--seconds",
            "0.1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("steps_per_second"))
    }
}
