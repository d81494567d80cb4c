#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Compiled kernels in a folder, so that a program is compiled once for a card and a model's shape.
///
/// Files are written under another name first, so that a reader never sees half a file; what cannot
/// be read or written is compiled again.
public struct KernelCache: Sendable {
    /// The folder.
    public let folder: String

    /// A cache in a folder, which is made when something is stored.
    public init(folder: String) { self.folder = folder }

    /// The user's cache folder (`XDG_CACHE_HOME`, or `.cache` in the home folder); nil where
    /// neither is known.
    public static let user: KernelCache? = {
        let base =
            environmentVariable("XDG_CACHE_HOME")
            ?? environmentVariable("HOME").map { $0 + "/.cache" }
        return base.map { KernelCache(folder: $0 + "/trajectory-transformer/kernels") }
    }()

    func image(_ key: String) -> [UInt8]? {
        guard let file = fopen("\(folder)/\(key)", "rb") else { return nil }
        defer { fclose(file) }
        guard fseek(file, 0, SEEK_END) == 0 else { return nil }
        let size = ftell(file)
        guard size > 0, fseek(file, 0, SEEK_SET) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        return fread(&bytes, 1, size, file) == size ? bytes : nil
    }

    func store(_ image: [UInt8], _ key: String) {
        makeFolder()
        let temporary = "\(folder)/\(key).\(getpid())"
        guard let file = fopen(temporary, "wb") else { return }
        let isWritten = fwrite(image, 1, image.count, file) == image.count
        if fclose(file) == 0 && isWritten {
            rename(temporary, "\(folder)/\(key)")
        } else {
            remove(temporary)
        }
    }

    private func makeFolder() {
        var path = ""
        for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
            path += part
            if !path.isEmpty { mkdir(path, 0o755) }
            path += "/"
        }
    }
}
