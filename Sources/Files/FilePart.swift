#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Parts of files that are there.
package enum FilePart {
    /// The first bytes of a file, up to `count`; nil where it cannot be read.
    package static func first(_ count: Int, of url: URL) -> [UInt8]? {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let found = read(descriptor, &bytes, count)
        return found < 0 ? nil : Array(bytes.prefix(found))
    }

    /// Adds bytes at the end of a file that is there.
    ///
    /// - Throws: ``FileError`` when they cannot be written, on a full disk for example.
    package static func append(_ bytes: [UInt8], to url: URL) throws(FileError) {
        let descriptor = open(url.path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(url, "it cannot be opened") }
        defer { close(descriptor) }
        guard bytes.withUnsafeBytes({ PendingFile.write($0, to: descriptor) }) else {
            throw FileError(url, "writing failed")
        }
    }

    /// Takes off the end of a file, so that `count` bytes are left.
    ///
    /// - Throws: ``FileError`` when the file cannot be changed.
    package static func cut(_ url: URL, to count: Int) throws(FileError) {
        guard truncate(url.path, off_t(count)) == 0 else {
            throw FileError(url, "it cannot be shortened")
        }
    }
}
