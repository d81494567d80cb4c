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

/// Results as files: the check before the work, and the writing after it.
public enum OutputFile {
    /// Makes sure before long work that its result can be written to `url`.
    ///
    /// Folders above it may be missing: they are made when the result is written.
    ///
    /// - Throws: ``FileError`` when something else than a file, device or pipe is there, or nothing
    ///   can be written in its folder.
    public static func check(_ url: URL) throws(FileError) {
        switch try Destination(url, followsLinks: true) {
        case .file(let path): try Destination.probe(Destination.folder(of: path), for: url)
        case .stream: break
        case .descriptor(let number):
            guard fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY else {
                throw FileError(.unusable, url.path, "it is not open for writing")
            }
        }
    }

    /// Makes sure before long work that `url` is or can become a folder to write in.
    ///
    /// - Throws: ``FileError`` when something else is there, or nothing can be written there.
    public static func check(folder url: URL) throws(FileError) {
        try Destination.probe(url.path, for: url)
    }

    /// Writes a file: afterwards it is there whole, or what was there before.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - url: Where it shall lie; a file there is replaced, missing folders are made.
    ///   - followsLinks: Whether a link there stands for what it points to; else it is replaced.
    /// - Throws: ``FileError``.
    public static func write(
        _ bytes: Data, to url: URL, followsLinks: Bool = true
    ) throws(FileError) {
        let file = try PendingFile(for: url, followsLinks: followsLinks)
        try file.write(bytes)
        try file.commit()
    }

    /// Removes what killed programs left in a folder that is the caller's own.
    ///
    /// Also what Foundation's atomic writing left there, by which files were once written.
    public static func removeLeftovers(in folder: URL) {
        Leftovers.remove(in: folder) { _ in true }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix(".dat.nosync") {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    /// Prints a text to standard output, with a line end.
    ///
    /// - Throws: ``FileError`` when it cannot be written: a result that nobody gets is none.
    public static func print(_ text: String) throws(FileError) {
        var bytes = Array(text.utf8)
        bytes.append(UInt8(ascii: "\n"))
        guard bytes.withUnsafeBytes({ PendingFile.write($0, to: STDOUT_FILENO) }) else {
            let reason = String(cString: strerror(errno))
            throw FileError(
                .unwritable, "standard output",
                "the result is lost (\(reason)); check where it leads")
        }
    }
}
