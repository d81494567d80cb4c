public import Foundation

/// A disk of a few kilobytes, in memory, for tests of what happens when one is full.
public final class SmallDisk: Sendable {
    /// Where it is mounted.
    public let url: URL

    /// Mounts a disk; nil where that is not permitted, as for who is not root.
    public init?(kilobytes: Int) {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "trajectory-disk-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            return nil
        }
        guard
            Self.run(
                "mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k,nr_inodes=100", "tmpfs", url.path)
        else {
            try? FileManager.default.removeItem(at: url)
            return nil
        }
    }

    private static func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    deinit {
        _ = Self.run("umount", url.path)
        try? FileManager.default.removeItem(at: url)
    }
}
