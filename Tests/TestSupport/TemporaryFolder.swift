public import Foundation

/// A fresh folder for a test's files, removed with everything in it when the last reference goes.
public final class TemporaryFolder: Sendable {
    /// Where the folder lies.
    public let url: URL

    /// Makes the folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "trajectory-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// A file of the folder, there or not.
    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// The names of what the folder holds, hidden files included, sorted.
    public func contents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }
}
