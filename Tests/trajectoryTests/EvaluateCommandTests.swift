import Foundation
import Testing

@Suite struct EvaluateCommandTests {
    @Test func `a missing checkpoint gives one line and exit code 1`() throws {
        let outcome = try Program.run(
            "evaluate", "--checkpoint", "/no/such/run", "--env", "hopper")
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: cannot use checkpoint '/no/such/run'"))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test(
        arguments: [
            ("--replan-interval", "20"), ("--action-cdf", "1.5"), ("--observation-top-k", "0"),
            ("--context-transitions", "1"), ("--deadline-ms", "0"), ("--episodes", "0"),
            ("--video", "film.avi"),
        ])
    func `an option that cannot be is named as it was typed`(
        _ option: String, _ value: String
    ) throws {
        let outcome = try Program.run(
            "evaluate", "--checkpoint", "x", "--env", "hopper", option, value)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("\(option) "))
        #expect(outcome.errors.contains(value))
    }
}
