import Foundation
import TestSupport
import Testing

@Suite struct AttentionCommandTests {
    /// The checkpoint that comes with the package, trained on Hopper.
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    @Test func `attention is drawn for one window and for many`() throws {
        let folder = try TemporaryFolder()
        let data = folder.file("data.hdf5").path
        _ = try Program.run(
            "collect", "--env", "hopper", "--policy", "ars-medium", "--steps", "400", "--output",
            data)
        for (arguments, windows) in [
            (["--windows", "4"], 4), (["--episode", "0", "--row", "9"], 1),
        ] {
            let picture = folder.file("attention-\(windows).svg")
            let outcome = try Program.run(
                [
                    "attention", "--checkpoint", checkpoint, "--dataset", data, "--output",
                    picture.path,
                    "--json",
                ] + arguments)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("\"windows\" : \(windows)"))
            #expect(try Data(contentsOf: picture).count > 1000)
        }
        for (arguments, part) in [
            (["--episode", "99"], "it has episodes 0 to"),
            (["--episode", "0", "--row", "5000"], "does not fit"),
        ] {
            let outcome = try Program.run(
                [
                    "attention", "--checkpoint", checkpoint, "--dataset", data, "--output",
                    folder.file("x.svg").path,
                ] + arguments)
            #expect(outcome.status == 1 && outcome.errors.contains(part), "\(outcome.errors)")
        }
    }
}
