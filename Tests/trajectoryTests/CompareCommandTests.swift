import Foundation
import TestSupport
import Testing

@Suite struct CompareCommandTests {
    private func evaluate(_ policy: String, seed: Int, into file: URL) throws {
        let outcome = try Program.run(
            "evaluate", "--policy", policy, "--env", "hopper", "--episodes", "3", "--seed",
            "\(seed)", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        try Data(outcome.output.utf8).write(to: file)
    }

    private func object(_ outcome: Program.Outcome) throws -> [String: Any] {
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func `evaluations are compared, paired by their seeds`() throws {
        let folder = try TemporaryFolder()
        let (weak, strong) = (folder.file("weak.json"), folder.file("strong.json"))
        try evaluate("ars-weak", seed: 4, into: weak)
        try evaluate("ars-medium", seed: 5, into: strong)
        let printed = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: weak)) as? [String: Any])
        let scores = try #require(printed["normalized_scores"] as? [Double])
        let score = try #require(printed["normalized_score"] as? Double)
        #expect(abs(scores.reduce(0, +) / 3 - score) < 1e-9 && scores.count == 3)

        let result = try object(
            try Program.run(
                "compare", "before=\(weak.path)", "after=\(strong.path)", "--draws", "500", "--json"
            ))
        #expect(result["environments"] as? [String] == ["hopper-v4"])
        #expect(result["unit"] as? String == "episodes" && result["draws"] as? Int == 500)
        let methods = try #require(result["methods"] as? [[String: Any]])
        #expect(methods.map { $0["name"] as? String } == ["before", "after"])
        let mean = try #require(methods[0]["mean"] as? [String: Double])
        #expect(try abs(#require(mean["value"]) - score) < 1e-9)
        #expect(try #require(mean["lower"]) <= score && score <= #require(mean["upper"]))
        let improvement = methods[1]["probability_of_improvement"] as? [String: Double]
        #expect(try #require(improvement?["value"]) > 0.5)
        let environments = try #require(methods[1]["environments"] as? [[String: Any]])
        #expect(environments[0]["pairs"] as? Int == 2)

        let text = try Program.run("compare", weak.path, strong.path)
        #expect(text.status == 0)
        #expect(text.output.hasPrefix("hopper-v4: normalized scores, 95 % intervals"))
        #expect(text.output.contains("better than \(weak.path.dropLast(5))"))

        // What was printed before there were scores of episodes.
        var old = printed
        old["normalized_scores"] = nil
        let oldFile = folder.file("old.json")
        try JSONSerialization.data(withJSONObject: old).write(to: oldFile)
        let both = try object(try Program.run("compare", oldFile.path, weak.path, "--json"))
        let means = (both["methods"] as? [[String: Any]])?
            .map { ($0["mean"] as? [String: Double])?["value"] }
        #expect(means?.count == 2 && means?[0] == means?[1])
    }

    @Test func `a folder and a name stand for several runs`() throws {
        let folder = try TemporaryFolder()
        let runs = folder.file("runs")
        try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
        func write(_ name: String, _ returns: [Double], environment: String = "none-v0") throws {
            let object: [String: Any] = [
                "environment": environment, "seeds": returns.indices.map { $0 },
                "returns": returns,
            ]
            try JSONSerialization.data(withJSONObject: object)
                .write(to: runs.appendingPathComponent(name))
        }
        try write("0.json", [1, 2])
        try write("1.json", [3, 4])
        try write("other.txt", [9])
        let (first, second) = (runs.path + "/0.json", runs.path + "/1.json")
        let result = try object(
            try Program.run(
                "compare", runs.path, "a=\(first),\(second)", "b=\(second)", "b=\(first)", "--json")
        )
        let methods = try #require(result["methods"] as? [[String: Any]])
        #expect(methods.map { $0["name"] as? String } == [runs.path, "a", "b"])
        #expect(methods.map { $0["runs"] as? Int } == [2, 2, 2])
        #expect(result["unit"] as? String == "runs" && result["score"] as? String == "returns")
        for method in methods {
            #expect((method["mean"] as? [String: Double])?["value"] == 2.5)
        }
        let twice = try Program.run("compare", "a=\(first)", "a=\(first)")
        #expect(twice.status == 1 && twice.errors.contains("given twice for a"))
    }

    @Test(arguments: [
        ("", "it is no JSON"), ("[1]", "it is no object"),
        ("{\"a\": 1}", "it has no 'environment'"),
        ("{\"environment\": \"h\", \"seeds\": [], \"returns\": []}", "it has no episodes"),
        ("{\"environment\": \"h\", \"seeds\": [1], \"returns\": []}", "not as many returns"),
        (
            "{\"environment\": \"h\", \"seeds\": [1], \"returns\": [\"nan\"]}",
            "its 'returns' is not what it should be"
        ),
        ("{\"environment\": \"h\", \"seeds\": [-1], \"returns\": [1]}", "cannot compare"),
    ])
    func `what is no evaluation is refused in one line`(_ text: String, _ words: String) throws {
        let folder = try TemporaryFolder()
        let file = folder.file("wrong.json")
        try Data(text.utf8).write(to: file)
        let outcome = try Program.run("compare", file.path)
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: cannot compare"), "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test func `files and folders that are not there are refused`() throws {
        let folder = try TemporaryFolder()
        for (path, words) in [
            ("/no/such.json", "it cannot be read"), (folder.file(".").path, "ends in .json"),
            ("a=", "it cannot be read"), ("/dev/null", "it is no JSON"),
        ] {
            let outcome = try Program.run("compare", path)
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
            #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
        }
        for arguments in [
            [], ["a.json", "--confidence", "1"], ["a.json", "--draws", "0"],
            ["a.json", "--unit", "steps"],
        ] {
            #expect(try Program.run(["compare"] + arguments).status == 64)
        }
    }
}
