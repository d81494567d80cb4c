public import Foundation

/// Where Minari keeps its datasets.
public enum MinariPlace {
    /// The folder of all datasets: `MINARI_DATASETS_PATH`, or `~/.minari/datasets`.
    public static var root: URL {
        if let path = ProcessInfo.processInfo.environment["MINARI_DATASETS_PATH"], !path.isEmpty {
            return URL(fileURLWithPath: path)
        }
        return FileManager.default.homeDirectoryForCurrentUser
            .appendingPathComponent(".minari/datasets")
    }

    /// The folder of the dataset that Minari calls by this name, such as `mujoco/hopper/medium-v0`,
    /// if it is there.
    public static func folder(ofDataset name: String) -> URL? {
        guard MinariDescription.problem(withID: name) == nil else { return nil }
        let folder = root.appendingPathComponent(name)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return nil }
        return folder
    }

    /// Where the dataset at `url` lies: there, or where its path is a name that Minari knows and
    /// nothing is there, in Minari's folder, with a line that says so.
    static func find(_ url: URL) -> (place: URL, note: String?) {
        guard !FileManager.default.fileExists(atPath: url.path),
            let folder = folder(ofDataset: url.relativePath)
        else { return (url, nil) }
        return (folder, "'\(url.relativePath)' is Minari's dataset in '\(folder.path)'")
    }
}
