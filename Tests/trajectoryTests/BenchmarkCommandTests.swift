import Foundation
import TestSupport
import Testing

@Suite struct BenchmarkCommandTests {
    private func json(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Program.run(["benchmark"] + arguments + ["--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func `the profile of a step accounts for its time`() throws {
        let result = try json("train", "--batch", "4", "--steps", "2", "--profile")
        let profile = try #require(result["profile"] as? [String: Any])
        let parts = try #require(profile["parts"] as? [[String: Any]])
        let shares = parts.compactMap { $0["share"] as? Double }
        #expect(parts.count == 10 && shares.count == 10)
        #expect(abs(shares.reduce(0, +) - 1) < 1e-6)
        let names = parts.compactMap { $0["name"] as? String }
        for part in parts where ["products", "attention"].contains(part["name"] as? String) {
            #expect((part["gigaflops"] as? Double ?? 0) > 0)
        }
        #expect(names.contains("optimizer") && names.contains("reduction"))
    }

    @Test(arguments: ["exact", "cached"])
    func `a plan's benchmark counts what was computed and what sharing saved`(
        _ window: String
    ) throws {
        let result = try json(
            "plan", "--horizon", "3", "--beam-width", "4", "--plans", "1", "--window", window,
            "--together", "2")
        let computed = try #require(result["computed_tokens"] as? Int)
        let naive = try #require(result["naive_tokens"] as? Int)
        #expect(computed > 0 && naive > computed)
        #expect(result["window"] as? String == window && result["together"] as? Int == 2)
        #expect((result["gigaflops"] as? Double ?? 0) > 0)
    }

    @Test func `a plan's benchmark sees as far back as it is told`() throws {
        let tokens = try [2, 12].map { context in
            let result = try json(
                "plan", "--horizon", "3", "--beam-width", "4", "--plans", "1",
                "--context-transitions", "\(context)")
            #expect(result["context_transitions"] as? Int == context)
            return try #require(result["computed_tokens"] as? Int)
        }
        #expect(tokens[0] < tokens[1])
        for context in ["1", "101"] {
            let outcome = try Program.run(["benchmark", "plan", "--context-transitions", context])
            #expect(outcome.status == 64, "\(outcome.errors)")
        }
    }

    @Test func `a deadline that is no number is named`() throws {
        let outcome = try Program.run([
            "benchmark", "deadlines", "--checkpoint", "x", "--env", "hopper", "--deadlines", "5,x",
        ])
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("--deadlines cannot be 5,x"))
    }
}
