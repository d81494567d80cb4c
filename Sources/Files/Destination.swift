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

/// What a result's path stands for, once links are followed.
enum Destination: Hashable {
    /// A regular file, there or not.
    case file(String)
    /// A device or pipe, into which the content is written at the end.
    case stream(String)
    /// One of this process's open files, such as `/dev/stdout`.
    case descriptor(Int32)

    /// Links are not followed further than this, as in Linux.
    private static let mostLinks = 40

    /// Finds out where `url` leads.
    ///
    /// - Parameters:
    ///   - url: Where a result shall go.
    ///   - followsLinks: Whether a link stands for what it points to; else it is replaced.
    /// - Throws: ``FileError`` when something lies there that cannot be written.
    init(_ url: URL, followsLinks: Bool) throws(FileError) {
        func refused(_ detail: String) -> FileError { FileError(.unusable, url.path, detail) }
        var path = url.path
        for _ in 0...Self.mostLinks {
            var status = stat()
            guard lstat(path, &status) == 0 else {
                guard errno == ENOENT else { throw FileError(url, "its place cannot be reached") }
                self = .file(path)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK where !followsLinks:
                self = .file(path)
                return
            case S_IFLNK:
                if let number = Self.descriptor(path) {
                    self = .descriptor(number)
                    return
                }
                path = Self.target(ofLink: path)
            case S_IFREG:
                guard access(path, W_OK) == 0 else {
                    throw FileError(url, "the file that is there may not be changed")
                }
                self = .file(path)
                return
            case S_IFCHR, S_IFIFO:
                guard access(path, W_OK) == 0 else { throw FileError(url, "it may not be written") }
                self = .stream(path)
                return
            case S_IFDIR: throw refused("it is a folder; give the name of a file")
            case S_IFBLK: throw refused("it is a disk (a block device); give the name of a file")
            case S_IFSOCK: throw refused("it is a socket; give the name of a file")
            default: throw refused("it is no regular file; give the name of one")
            }
        }
        throw refused("it is a link that leads to itself; give the name of a file")
    }

    /// The number of an open file of this process, if that is what the link `path` stands for.
    private static func descriptor(_ path: String) -> Int32? {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
        guard let number = Int32(url.lastPathComponent),
            folder == "/proc/\(getpid())/fd" || folder == "/proc/self/fd"
        else { return nil }
        return number
    }

    /// Where a link points.
    static func target(ofLink path: String) -> String {
        let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
        guard !target.hasPrefix("/") else { return target }
        return URL(fileURLWithPath: path).deletingLastPathComponent()
            .appendingPathComponent(target).path
    }

    /// The folder of a path.
    static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// Makes sure that files can be made in `folder`, or where it is missing in the nearest folder
    /// above, without leaving any.
    static func probe(_ folder: String, for url: URL) throws(FileError) {
        var place = URL(fileURLWithPath: folder)
        var status = stat()
        while stat(place.path, &status) != 0 {
            guard errno == ENOENT, place.path != "/" else {
                throw FileError(url, "the folder '\(place.path)' cannot be reached")
            }
            place.deleteLastPathComponent()
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(.unusable, url.path, "'\(place.path)' is no folder; give another place")
        }
        let name = place.appendingPathComponent(".\(UUID().uuidString.prefix(8)).part").path
        let probe = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard probe >= 0 else {
            throw FileError(url, "nothing can be written in the folder '\(place.path)'")
        }
        close(probe)
        unlink(name)
    }

    /// Makes a folder and those above it.
    static func make(_ folder: String, for url: URL) throws(FileError) {
        var status = stat()
        if stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        let above = Self.folder(of: folder)
        if above != folder { try make(above, for: url) }
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
            throw FileError(url, "the folder '\(folder)' cannot be made")
        }
        synchronize(folder: above)
    }

    /// Makes sure that a name in a folder outlives a loss of power, where the file system can.
    static func synchronize(folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

extension FileError {
    /// What the system's last call refused, with its reason.
    init(_ url: URL, _ what: String) {
        let reason = String(cString: strerror(errno))
        self.init(
            .unwritable, url.path,
            "\(what) (\(reason)); check the folder, its permissions and the space left")
    }
}
