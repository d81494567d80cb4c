import Foundation
import TestSupport
import Testing

@Suite struct ReportCommandTests {
    /// The checkpoint that comes with the package, trained on Hopper.
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Checkpoints/hopper").standardizedFileURL.path

    @Test func `a report is written, and told of in one line or as JSON`() throws {
        let folder = try TemporaryFolder()
        let page = folder.file("hopper.html")
        let arguments = [
            "report", checkpoint, "--output", page.path, "--maximum-steps", "4", "--horizon", "2",
            "--beam-width", "2",
        ]
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("\(page.path): "))
        #expect(outcome.output.contains("There is no learning curve"))
        #expect(try String(contentsOf: page, encoding: .utf8).contains("hopper-v4"))
        let told = try Program.run(arguments + ["--json"])
        #expect(told.output.contains("\"steps\" : 4"), "\(told.output)")
    }

    @Test func `what a report or the live page has no use for is refused before anything begins`()
        throws
    {
        for (arguments, part) in [
            (["report", checkpoint, "--drop-last-row"], "--dataset"),
            (["report", checkpoint, "--maximum-steps", "0"], "--maximum-steps"),
            (["report", checkpoint, "--warm-start"], "--warm-start"),
            (["live", checkpoint, "--warm-start"], "--warm-start"),
            (["live", checkpoint, "--port", "70000"], "--port"),
            (["live", checkpoint, "--objective", "q"], "--critic"),
        ] {
            let outcome = try Program.run(arguments)
            #expect(outcome.status == 64 && outcome.errors.contains(part), "\(outcome.errors)")
        }
        let nowhere = try Program.run(["report", "/nowhere", "--output", "/tmp/nowhere.html"])
        #expect(nowhere.status == 1 && nowhere.errors.hasPrefix("error:"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/nowhere.html"))
    }
}
