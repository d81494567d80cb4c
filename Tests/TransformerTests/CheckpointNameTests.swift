import Foundation
import TestSupport
import Testing
import Transformer

@Suite struct CheckpointNameTests {
    private let temporary: TemporaryFolder
    private var folder: URL { temporary.url }

    init() throws { temporary = try TemporaryFolder() }

    /// An empty checkpoint in a folder below the test's.
    private func make(_ path: String) throws -> URL {
        let url = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: url.appendingPathComponent("checkpoint.json"))
        return url
    }

    private func find(_ name: String, path: String? = nil, program: String? = nil) throws -> String
    {
        try Checkpoint.url(
            named: name, environment: path.map { [Checkpoint.searchPathVariable: $0] } ?? [:],
            program: program.map { folder.appendingPathComponent($0) }
        ).standardizedFileURL.path
    }

    @Test func `a folder that is there is meant, then those of the variable, then the share`()
        throws
    {
        let here = try make("here/robot")
        let first = try make("first/other")
        let second = try make("second/robot")
        let best = try make("second/run/best").deletingLastPathComponent()
        let shared = try make("share/trajectory/checkpoints/robot")
        let path = ["first", "second"].map { folder.appendingPathComponent($0).path }
            .joined(separator: ":")
        #expect(try find(here.path, path: path) == here.path)
        #expect(try find("robot", path: path, program: "bin/trajectory") == second.path)
        #expect(try find("other", path: path) == first.path)
        #expect(try find("run", path: path) == best.path)
        #expect(try find("robot", program: "bin/trajectory") == shared.path)
    }

    @Test func `a name that is nowhere is refused with where it was sought`() throws {
        let elsewhere = folder.appendingPathComponent("elsewhere").path
        let error = #expect(throws: CheckpointError.self) {
            try find("robot", path: elsewhere, program: "bin/trajectory")
        }
        #expect(error?.code == .missing)
        #expect(error?.description.contains(elsewhere) == true)
        #expect(error?.description.contains("share/trajectory/checkpoints") == true)
        // A path is a path: reading it says what is missing.
        #expect(try find("no/such/robot", path: elsewhere).hasSuffix("/no/such/robot"))
    }
}
