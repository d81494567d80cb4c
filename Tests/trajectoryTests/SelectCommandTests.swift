import Foundation
import Release
import TestSupport
import Testing

@Suite struct SelectCommandTests {
    private static let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    @Test func `policies and a checkpoint are ranked by data alone`() throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "mix:ars-expert=1,random=1", "--steps",
            "2000", "--output", data)
        let outcome = try Program.run(
            "select", "random", "ars-expert", Self.checkpoint, "--dataset", data, "--steps",
            "400", "--transitions", "100", "--workers", "1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        let candidates = try #require(object["candidates"] as? [[String: Any]])
        #expect(candidates.compactMap { $0["rank"] as? Int } == [1, 2, 3])
        let names = candidates.compactMap { $0["name"] as? String }
        #expect(Set(names) == ["random", "ars-expert", Self.checkpoint])
        let values = candidates.compactMap { $0["value"] as? Double }
        #expect(values == values.sorted(by: >) && values.allSatisfy(\.isFinite))
        #expect(object["transitions"] as? Int == 100)
        #expect(object["environment"] as? String == "hopper-v4")
    }

    @Test func `of one held-out start there is no error`() throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "60", "--output", data)
        let arguments = ["select", "random", "--dataset", data, "--steps", "20", "--workers", "1"]
        let text = try Program.run(arguments)
        #expect(text.status == 0 && text.output.contains("–"), "\(text.errors)")
        #expect(!text.output.contains("nan"))
        let outcome = try Program.run(arguments + ["--json"])
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(object["held_out_episodes"] as? Int == 1)
        let candidate = try #require((object["candidates"] as? [[String: Any]])?.first)
        #expect(candidate["value"] is Double && candidate["value_error"] == nil)
    }

    @Test(arguments: [
        (["random", "--beam-width", "8"], "--beam-width is for checkpoints"),
        ([checkpoint, "--warm-start"], "--warm-start does nothing"),
        (["random", "--held-out", "2"], "--held-out and --discount must lie in [0, 1]"),
        (["random", "--transitions", "0"], "--transitions"), ([], "Missing expected argument"),
    ])
    func `what makes no sense together is wrong usage`(
        arguments: [String], words: String
    ) throws {
        let outcome = try Program.run(["select"] + arguments + ["--dataset", "none.hdf5"])
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test func `a candidate that is not there is named before the work`() throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "random", "--steps", "200", "--output", data)
        let outcome = try Program.run("select", "random", "missing.safetensors", "--dataset", data)
        #expect(outcome.status == 1 && outcome.errors.contains("'missing.safetensors'"))
    }

    @Test func `the version is the release's`() throws {
        #expect(try Program.run("--version").output == Release.version + "\n")
    }
}
