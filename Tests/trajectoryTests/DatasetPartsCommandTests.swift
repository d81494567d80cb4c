import Foundation
import TestSupport
import Testing

@Suite struct DatasetPartsCommandTests {
    let folder: TemporaryFolder
    let dataset: String

    init() throws {
        folder = try TemporaryFolder()
        dataset = try GoldenData(Bundle.module).url("dataset_gzip.hdf5").path
    }

    private func path(_ name: String) -> String { folder.file(name).path }

    private func json(_ arguments: String...) throws -> [String: Any] {
        let outcome = try Program.run(arguments + ["--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test func `split and merge are opposites, through archives of NumPy's`() throws {
        let parts = try json(
            "dataset", "split", dataset, "--output", path("a.npz"), "--held-out", path("b.npz"),
            "--fraction", "0.34", "--seed", "3")
        let (rest, held) = (
            try #require(parts["rest"] as? [String: Any]),
            try #require(parts["held_out"] as? [String: Any])
        )
        #expect(rest["episodes"] as? Int == 4 && held["episodes"] as? Int == 2)
        #expect(held["observation_dimension"] as? Int == 3 && held["format"] as? String == "npz")
        let merged = try json(
            "dataset", "merge", path("a.npz"), path("b.npz"), "--output", path("both.hdf5"))
        #expect(merged["transitions"] as? Int == 60 && merged["episodes"] as? Int == 6)
        let (first, second) = (
            try json("dataset", "info", dataset), try json("dataset", "info", path("both.hdf5"))
        )
        #expect(first["returns"] as? NSObject == second["returns"] as? NSObject)
    }

    @Test func `a filter keeps the best, and says when nothing is left`() throws {
        let best = try json("dataset", "filter", dataset, path("best.npz"), "--top-fraction", "0.2")
        #expect(best["episodes"] as? Int == 1)
        let all = try json("dataset", "info", dataset)
        let largest = (all["returns"] as? [String: Any])?["maximum"] as? Double
        #expect((best["returns"] as? [String: Any])?["maximum"] as? Double == largest)
        for (arguments, words) in [
            (["--min-return", "1e9"], "none of its 6 episodes"), ([], "say what to keep"),
            (["--top-fraction", "0"], "--top-fraction must lie in"),
        ] {
            let outcome = try Program.run(
                ["dataset", "filter", dataset, path("none.hdf5")] + arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(words), "\(outcome.errors)")
        }
        #expect(try folder.contents() == ["best.npz"])
    }

    @Test func `Minari's names are looked up where Minari keeps its datasets`() throws {
        let made = try Program.run(
            "dataset", "convert", dataset, path("root/hopper/test-v0"), "--dataset-id",
            "hopper/test-v0")
        #expect(made.status == 0, "\(made.errors)")
        let outcome = try Program.run(
            ["dataset", "info", "hopper/test-v0", "--json"],
            environment: ["MINARI_DATASETS_PATH": path("root")])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("is Minari's dataset in"))

        // Scores by the returns that the dataset brings along.
        let metadata = folder.file("root/hopper/test-v0/data/metadata.json")
        var entries = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: metadata)) as? [String: Any])
        (entries["ref_min_score"], entries["ref_max_score"]) = (-10, 10.5)
        try JSONSerialization.data(withJSONObject: entries).write(to: metadata)
        let report = try json("dataset", "info", path("root/hopper/test-v0"))
        let mean = try #require((report["returns"] as? [String: Any])?["mean"] as? Double)
        let score = (report["normalized_returns"] as? [String: Any])?["mean"] as? Double
        #expect(abs(try #require(score) - 100 * (mean + 10) / 20.5) < 1e-9)
    }

    @Test func `PyTorch states come in and go out, and evil ones are refused in a line`() throws {
        let state = try GoldenData(Bundle.module).url("official_state_tiny.pt").path
        let imported = try json(
            "import-torch", state, "--data", dataset, "--heads", "2", "--output", path("run"))
        #expect(imported["layout"] as? String == "authors" && imported["bins"] as? Int == 10)
        let exported = try json(
            "export-torch", "--checkpoint", path("run"), "--output", path("torch"))
        #expect(exported["files"] as? [String] == ["model_config.pkl", "state_0.pt"])
        for (arguments, words) in [
            ([dataset, "--heads", "2"], "not a file that torch.save wrote"),
            ([state, "--heads", "2"], "(--data, --action-dimension)"),
            ([state, "--data", dataset], "(--heads)"),
        ] {
            let outcome = try Program.run(
                ["import-torch"] + arguments + ["--output", path("other")])
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
            #expect(outcome.errors.hasPrefix("error: "))
        }
        #expect(try folder.contents() == ["run", "torch"])
    }
}
