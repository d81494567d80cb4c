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

/// A file that is being made: it gets its name when it is whole, and is gone when it is not.
///
/// Until ``commit()`` it lies beside its target under a hidden name, locked, so that others can
/// tell it from what a killed process left. Where the target is a link, the file it points to is
/// replaced; where it is a device or pipe, the content is written into it by ``commit()``.
public final class PendingFile {
    /// Where the file shall lie, as given.
    public let target: URL
    /// The unfinished file, for who writes by name: another program.
    public let partial: URL
    private let destination: Destination
    private var descriptor: Int32

    /// Begins a file; missing folders are made.
    ///
    /// - Parameters:
    ///   - target: Where it shall lie; a file there is replaced.
    ///   - followsLinks: Whether a link at `target` stands for what it points to, as it does where a
    ///     person chose the name; else it is replaced.
    /// - Throws: ``FileError`` when it cannot be made, or what lies there cannot be written.
    public init(for target: URL, followsLinks: Bool = true) throws(FileError) {
        self.target = target
        destination = try Destination(target, followsLinks: followsLinks)
        let path: String
        if case .file(let file) = destination {
            path = file
            try Destination.make(Destination.folder(of: file), for: target)
        } else {
            path =
                FileManager.default.temporaryDirectory
                .appendingPathComponent(target.lastPathComponent).path
        }
        (partial, descriptor) = try Self.create(beside: path, for: target)
        if case .file = destination { adoptMode(of: path) }
        Leftovers.remove(of: path)
    }

    /// Creates and locks the unfinished file.
    private static func create(beside path: String, for target: URL) throws(FileError) -> (
        URL, Int32
    ) {
        while true {
            let partial = Leftovers.newName(beside: path)
            let descriptor = open(
                partial.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                if errno == EEXIST { continue }
                throw FileError(target, "the file cannot be created")
            }
            // A file system without locks has no leftovers removed.
            flock(descriptor, LOCK_EX)
            var status = stat()
            // Between creation and lock another process may have taken it for a leftover.
            if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (partial, descriptor) }
            close(descriptor)
        }
    }

    /// A new content leaves the permissions of the file as they were.
    private func adoptMode(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        fchown(descriptor, status.st_uid, status.st_gid)
        fchmod(descriptor, status.st_mode & 0o7777)
    }

    /// The unfinished file, for another program's output; it stays this object's to close.
    public var fileDescriptor: Int32 { descriptor }

    /// Adds bytes at the present place.
    ///
    /// - Throws: ``FileError`` when they cannot be written, on a full disk for example.
    public func write(_ bytes: Data) throws(FileError) {
        guard bytes.withUnsafeBytes({ Self.write($0, to: descriptor) }) else { throw failure() }
    }

    /// Adds bytes at the present place.
    ///
    /// - Throws: ``FileError`` when they cannot be written.
    public func write(_ bytes: [UInt8]) throws(FileError) {
        guard bytes.withUnsafeBytes({ Self.write($0, to: descriptor) }) else { throw failure() }
    }

    /// Adds bytes of a C library at the present place.
    ///
    /// - Throws: ``FileError`` when they cannot be written.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        guard Self.write(bytes, to: descriptor) else { throw failure() }
    }

    private func failure() -> FileError { FileError(target, "writing failed") }

    /// Goes back to the first byte.
    ///
    /// - Throws: ``FileError`` when that fails.
    public func rewind() throws(FileError) {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw FileError(target, "going back failed")
        }
    }

    /// Gives the file its name, now that it is whole; nothing can be added afterwards.
    ///
    /// Content and name are on the disk when this returns.
    ///
    /// - Throws: ``FileError`` when that fails; what was there before is as it was.
    public func commit() throws(FileError) {
        precondition(descriptor >= 0, "'\(target.path)' is committed twice")
        defer { discard() }
        switch destination {
        case .file(let path):
            guard fsync(descriptor) == 0 || errno == EINVAL else {
                throw FileError(target, "writing failed")
            }
            guard rename(partial.path, path) == 0 else {
                throw FileError(target, "renaming failed")
            }
            Destination.synchronize(folder: Destination.folder(of: path))
        case .stream(let path):
            let stream = open(path, O_WRONLY | O_CLOEXEC)
            guard stream >= 0 else { throw FileError(target, "it cannot be opened") }
            defer { close(stream) }
            try copy(to: stream)
        case .descriptor(let number): try copy(to: number)
        }
    }

    private func copy(to stream: Int32) throws(FileError) {
        try rewind()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw FileError(target, "the content cannot be read back") }
            guard count > 0 else { return }
            let isWritten = buffer.withUnsafeBytes {
                Self.write(.init(rebasing: $0[..<count]), to: stream)
            }
            guard isWritten else { throw failure() }
        }
    }

    /// Writes all bytes; false where the system refuses, whose reason is in `errno`.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes
        while let start = rest.baseAddress, rest.count > 0 {
            #if canImport(Darwin)
                let count = Darwin.write(descriptor, start, min(rest.count, 1 << 30))
            #else
                let count = Glibc.write(descriptor, start, min(rest.count, 1 << 30))
            #endif
            guard count >= 0 || errno == EINTR else { return false }
            if count > 0 { rest = .init(rebasing: rest[count...]) }
        }
        return true
    }

    /// Closes the file, and removes it where it has no other name.
    private func discard() {
        guard descriptor >= 0 else { return }
        // Under the lock: once it has its name, a new file of the hidden one may be another's.
        var (own, present) = (stat(), stat())
        if fstat(descriptor, &own) == 0, lstat(partial.path, &present) == 0,
            own.st_ino == present.st_ino
        {
            unlink(partial.path)
        }
        close(descriptor)
        descriptor = -1
    }

    deinit { discard() }
}
