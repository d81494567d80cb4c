#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Checkpoint {
    /// The program that runs, where the system tells it.
    public static var program: URL? {
        #if canImport(FoundationEssentials)
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
                .map { URL(fileURLWithPath: $0) }
        #else
            Bundle.main.executableURL
        #endif
    }

    /// The environment variable that names folders of checkpoints, separated by colons.
    public static let searchPathVariable = "TRAJECTORY_CHECKPOINTS"

    /// Where the checkpoint lies that is called `name`, such as `runs/hopper` or `hopper-medium`.
    ///
    /// That is the folder or file `name` itself, where there is one; otherwise, unless the name has
    /// a slash, the first folder of that name in those of ``searchPathVariable`` and then in
    /// `share/trajectory/checkpoints` beside the folder of the program.
    ///
    /// - Parameters:
    ///   - name: A path, or the name of a folder.
    ///   - environment: Variables of the process.
    ///   - program: The program's file.
    /// - Returns: The folder or file, which need not be there where `name` is a path.
    /// - Throws: ``CheckpointError/Code-swift.enum/missing``, with the folders that were searched.
    public static func url(
        named name: String,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        program: URL? = Checkpoint.program
    ) throws(CheckpointError) -> URL {
        let files = FileManager.default
        let path = URL(fileURLWithPath: name)
        guard !files.fileExists(atPath: path.path), !name.isEmpty, !name.contains("/") else {
            return path
        }
        var folders = (environment[searchPathVariable] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)) }
        if let program {
            // A link in another folder, such as /usr/local/bin, is followed to what was installed.
            let prefix = program.resolvingSymlinksInPath()
                .deletingLastPathComponent().deletingLastPathComponent()
            folders.append(prefix.appendingPathComponent("share/trajectory/checkpoints"))
        }
        let found = folders.map { $0.appendingPathComponent(name) }
            .first { Checkpoint.exists(in: $0) || Checkpoint.exists(in: bestFolder(in: $0)) }
        guard let found else {
            throw CheckpointError(
                code: .missing, file: name,
                detail: "it is no folder here, and none of that name with a checkpoint lies in "
                    + folders.map { "'\($0.path)'" }.joined(separator: " or ")
                    + "; give a folder, or name the folder of checkpoints in \(searchPathVariable)")
        }
        return found
    }
}
