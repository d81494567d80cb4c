#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a process that was killed left beside its targets.
enum Leftovers {
    /// File names have at most 255 bytes.
    private static let longestName = 200

    private static func prefix(of name: String) -> String {
        var prefix = name
        while prefix.utf8.count > longestName { prefix.removeLast() }
        return ".\(prefix)."
    }

    private static let suffix = ".part"

    /// A hidden name beside `path`.
    static func newName(beside path: String) -> URL {
        let url = URL(fileURLWithPath: path)
        return url.deletingLastPathComponent().appendingPathComponent(
            prefix(of: url.lastPathComponent) + UUID().uuidString.prefix(8) + suffix)
    }

    /// Removes unfinished files and folders of the target `path` whose maker has ended.
    static func remove(of path: String) {
        let url = URL(fileURLWithPath: path)
        let prefix = prefix(of: url.lastPathComponent)
        remove(in: url.deletingLastPathComponent()) {
            $0.hasPrefix(prefix) && $0.utf8.count == prefix.utf8.count + 8 + suffix.utf8.count
        }
    }

    /// Removes those of which `isMeant` says so by their name.
    static func remove(in folder: URL, where isMeant: (String) -> Bool) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix(".") && name.hasSuffix(suffix) && isMeant(name) {
            let file = folder.appendingPathComponent(name)
            let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            // Whoever makes it holds its lock for as long as it is not whole.
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            try? FileManager.default.removeItem(at: file)
        }
    }
}
