import Experiments
import Foundation
import TestSupport
import Testing

@Suite struct `The place of an experiment` {
    private func git(_ arguments: String..., in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["git", "-C", folder.path, "-c", "user.name=t", "-c", "user.email=t@t"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "git \(arguments)")
    }

    @Test func `asking for the commit runs nothing that the folder's configuration names`() throws {
        let folder = try TemporaryFolder()
        let ran = folder.file("ran")
        let hook = folder.file("hook.sh")
        try "#!/bin/sh\ntouch '\(ran.path)'\ncat\n".write(
            to: hook, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: hook.path)
        let project = folder.file("project")
        for name in ["Experiments", "Sources"] {
            try FileManager.default.createDirectory(
                at: project.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        let source = project.appendingPathComponent("Sources/a.txt")
        try "title: A\n".write(
            to: project.appendingPathComponent("Experiments/x.yaml"), atomically: true,
            encoding: .utf8)
        try "one".write(to: source, atomically: true, encoding: .utf8)
        try "* filter=mine\n".write(
            to: project.appendingPathComponent(".gitattributes"), atomically: true,
            encoding: .utf8)
        try git("init", "-q", in: project)
        try git("add", ".", in: project)
        try git("commit", "-qm", "a", in: project)
        try git("config", "core.fsmonitor", hook.path, in: project)
        try git("config", "filter.mine.clean", hook.path, in: project)
        try? FileManager.default.removeItem(at: ran)
        let place = try ExperimentPlace(
            named: project.appendingPathComponent("Experiments/x.yaml").path)
        #expect(place.commit.count == 7)
        // As long as before, so that git must look inside.
        try "two".write(to: source, atomically: true, encoding: .utf8)
        #expect(place.commit.count == 8 && place.commit.hasSuffix("+"))
        #expect(!FileManager.default.fileExists(atPath: ran.path))
    }

    @Test func `steps are told where trained models are`() async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("Experiments/x.yaml")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let program = folder.file("program")
        try "#!/bin/sh\nprintf '\"%s\"' \"$MODELS\"\n".write(
            to: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: program.path)
        let place = try ExperimentPlace(named: file.path)
        let programs = try StepPrograms(
            place, trajectory: program, variables: ["MODELS": place.checkpoints.path])
        let experiment = try Experiment(
            definition("title: A\ndescription: B\nsteps: [{name: score, run: evaluate}]"))
        let printed = try await programs.run(
            experiment.steps[0], [], in: folder.url, log: folder.file("log"))
        #expect(printed == .string(folder.file("Checkpoints").path))
    }
}
