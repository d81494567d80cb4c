#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder that is being made: it gets its name when it is whole, and is gone when it is not.
public final class PendingFolder {
    /// Where the folder shall lie, as given.
    public let target: URL
    /// The unfinished folder, to put files into.
    public let partial: URL
    /// Where the folder shall lie, links followed.
    private let path: String
    private var lock: Int32

    /// Begins a folder; missing ones above it are made.
    ///
    /// - Throws: ``FileError`` when it cannot be made, or there is something else than an empty
    ///   folder.
    public init(for target: URL) throws(FileError) {
        self.target = target
        path = try Self.place(of: target)
        try Destination.make(Destination.folder(of: path), for: target)
        partial = Leftovers.newName(beside: path)
        guard mkdir(partial.path, 0o777) == 0 else {
            throw FileError(target, "the folder cannot be made")
        }
        lock = open(partial.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        flock(lock, LOCK_EX)
        Leftovers.remove(of: path)
    }

    /// Makes sure before long work that a folder can be made at `target`.
    ///
    /// - Throws: ``FileError`` as the initializer does.
    public static func check(_ target: URL) throws(FileError) {
        try Destination.probe(Destination.folder(of: try place(of: target)), for: target)
    }

    private static func place(of target: URL) throws(FileError) -> String {
        let path = target.resolvingSymlinksInPath().path
        var status = stat()
        guard stat(path, &status) == 0 else { return path }
        let names = try? FileManager.default.contentsOfDirectory(atPath: path)
        guard names?.isEmpty == true else {
            throw FileError(
                .unusable, target.path, "it is there already; remove it or choose another place")
        }
        return path
    }

    /// Gives the folder its name, now that it is whole.
    ///
    /// - Throws: ``FileError`` when that fails.
    public func commit() throws(FileError) {
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: partial.path)) ?? [] {
            let inside = partial.appendingPathComponent(name).path
            var status = stat()
            if lstat(inside, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                Destination.synchronize(folder: inside)
            }
        }
        fsync(lock)
        guard rename(partial.path, path) == 0 else { throw FileError(target, "renaming failed") }
        Destination.synchronize(folder: Destination.folder(of: path))
        close(lock)
        lock = -1
    }

    deinit {
        guard lock >= 0 else { return }
        try? FileManager.default.removeItem(at: partial)
        close(lock)
    }
}
