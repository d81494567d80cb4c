public import Foundation

/// Where an experiment's definition lies, and with it everything else.
public struct ExperimentPlace: Sendable {
    /// The YAML file.
    public let definition: URL
    /// The folder above the one of the definition.
    public let root: URL

    /// Where run folders are.
    public var runs: URL { root.appendingPathComponent("runs/experiments") }
    /// Where pages of results are.
    public var results: URL { root.appendingPathComponent("docs/results") }
    /// Where trained models are, which steps name by their folders.
    public var checkpoints: URL { root.appendingPathComponent("Checkpoints") }
    /// Where programs in Python are.
    public var scripts: URL {
        definition.deletingLastPathComponent().appendingPathComponent("python")
    }

    /// Finds a definition: a file, or a name in a folder `Experiments` above the current folder or
    /// above this program.
    ///
    /// - Throws: ``ExperimentError`` when there is none, which lists those that there are.
    public init(named name: String) throws(ExperimentError) {
        if name.hasSuffix(".yaml") {
            definition = URL(fileURLWithPath: name)
        } else {
            var folders: [URL] = []
            for start in [
                URL(fileURLWithPath: FileManager.default.currentDirectoryPath),
                Bundle.main.executableURL?.deletingLastPathComponent(),
            ].compactMap({ $0?.standardizedFileURL }) {
                var folder = start
                while folder.path != "/" {
                    folders.append(folder.appendingPathComponent("Experiments"))
                    folder.deleteLastPathComponent()
                }
            }
            let manager = FileManager.default
            guard
                let found = folders.map({ $0.appendingPathComponent(name + ".yaml") })
                    .first(where: { manager.fileExists(atPath: $0.path) })
            else {
                let names = folders.compactMap { try? manager.contentsOfDirectory(atPath: $0.path) }
                    .first?.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
                throw ExperimentError(
                    code: .unknown, subject: name,
                    detail: names.map { "there are " + $0.sorted().joined(separator: ", ") }
                        ?? "run in the project's folder, or give the path of a YAML file")
            }
            definition = found
        }
        root = definition.deletingLastPathComponent().deletingLastPathComponent()
    }

    /// The commit that is checked out, with a plus sign if files were changed since.
    ///
    /// The folder may be anybody's, and its configuration can name programs for git to run: none of
    /// them is.
    public var commit: String {
        var harmless = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
        func git(_ arguments: [String]) -> String? {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["git", "-C", root.path] + harmless + arguments
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return nil }
            let text = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return process.terminationStatus == 0
                ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
        }
        guard let commit = git(["rev-parse", "--short=7", "HEAD"]) else { return "unknown" }
        // Filters are programs as well; what they are called is the configuration's choice.
        let filters = git([
            "config", "--name-only", "--get-regexp", #"^filter\..*\.(clean|process)$"#,
        ])
        for name in (filters ?? "").split(whereSeparator: \.isNewline) {
            harmless += ["-c", "\(name)="]
        }
        let changes =
            git([
                "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all", "--",
                "Sources",
            ]) ?? ""
        return changes.isEmpty ? commit : commit + "+"
    }
}
