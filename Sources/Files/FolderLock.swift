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

/// Keeps a second program out of a folder that one writes in.
///
/// A lock on the file `.lock` in the folder, which ends with the process at the latest, however that
/// ends. A file system that has no locks keeps nobody out.
public final class FolderLock: Sendable {
    /// The name of the file.
    public static let fileName = ".lock"

    private let descriptor: Int32

    /// Locks a file that is written again and again, and with it the files beside it that belong to
    /// it: `.NAME.lock`.
    ///
    /// - Parameters:
    ///   - file: The file, there or not; missing folders are made.
    ///   - patience: How long to wait for a process that may be about to end.
    /// - Throws: ``FileError`` when another holds it, or the folder cannot be written.
    public convenience init(
        beside file: URL, patience: Duration = .seconds(2)
    ) throws(FileError) {
        let folder = file.deletingLastPathComponent()
        try self.init(
            folder.appendingPathComponent(".\(file.lastPathComponent).lock"), of: file, patience)
    }

    /// Locks `folder`, which is made if need be.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - patience: How long to wait for a process that may be about to end.
    /// - Throws: ``FileError`` when another holds it, or the folder cannot be written.
    public convenience init(_ folder: URL, patience: Duration = .seconds(2)) throws(FileError) {
        try self.init(folder.appendingPathComponent(Self.fileName), of: folder, patience)
    }

    private init(_ file: URL, of subject: URL, _ patience: Duration) throws(FileError) {
        try Destination.make(file.deletingLastPathComponent().path, for: subject)
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw FileError(subject, "it cannot be locked") }
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            // Not every file system has locks.
            guard errno == EWOULDBLOCK else { return }
            guard ContinuousClock.now < deadline else {
                let owner = try? String(contentsOf: file, encoding: .utf8)
                let name = owner.map { "process \($0)" } ?? "another process"
                close(descriptor)
                throw FileError(
                    .busy, subject.path, "\(name) is writing in it; wait for it or end it")
            }
            usleep(20_000)
        }
        let text = [UInt8]("\(getpid())".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }
}
