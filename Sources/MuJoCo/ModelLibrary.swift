public import Foundation

/// Where the robots' MJCF files are, as unpacked by `make bootstrap` or installed.
public enum ModelLibrary {
    /// The environment variable that names another folder of models.
    public static let variable = "TRAJECTORY_MODELS"

    /// The location of a model file such as `hopper.xml`.
    ///
    /// Looks in the folder that `TRAJECTORY_MODELS` names and nowhere else if that is set;
    /// otherwise in `share/trajectory/models` beside the folder of the running executable, and in
    /// `.deps/models` in the folders above it, above the current folder, and above this package's
    /// sources.
    ///
    /// - Throws: ``SimulationError`` when the file is in none of them.
    public static func url(of file: String) throws(SimulationError) -> URL {
        try url(
            of: file, override: ProcessInfo.processInfo.environment[variable],
            starts: [
                Bundle.main.bundleURL,
                URL(fileURLWithPath: FileManager.default.currentDirectoryPath),
                URL(fileURLWithPath: #filePath),
            ])
    }

    package static func url(of file: String, override: String?, starts: [URL])
        throws(SimulationError) -> URL
    {
        let manager = FileManager.default
        if let override, !override.isEmpty {
            let url = URL(fileURLWithPath: override).appendingPathComponent(file)
            if manager.fileExists(atPath: url.path) { return url }
            throw SimulationError(
                code: .modelsNotFound, file: file,
                detail: "it is not in '\(override)', which \(variable) names; correct or unset it")
        }
        if let program = starts.first {
            // What is installed has the program in bin, and share beside that.
            let installed = program.resolvingSymlinksInPath().deletingLastPathComponent()
                .appendingPathComponent("share/trajectory/models").appendingPathComponent(file)
            if manager.fileExists(atPath: installed.path) { return installed }
        }
        for start in starts {
            var folder = start.resolvingSymlinksInPath().standardizedFileURL
            while folder.path != "/" && !folder.path.isEmpty {
                folder.deleteLastPathComponent()
                let url = folder.appendingPathComponent(".deps/models").appendingPathComponent(file)
                if manager.fileExists(atPath: url.path) { return url }
            }
        }
        throw SimulationError(
            code: .modelsNotFound, file: file,
            detail: "there is no .deps/models above the program or the current folder; "
                + "run `make bootstrap`, or set \(variable) to a folder of models")
    }
}
