#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A library that is opened at run time, so that nothing is needed to build, and whose absence is
/// an answer rather than a failure.
struct DynamicLibrary: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer

    /// Opens the library of this name or path; nil where there is none or it cannot be loaded.
    init?(_ path: String) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL) else { return nil }
        self.handle = handle
    }

    /// The address of an exported function, if there is one of that name.
    func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }
}

/// The value of an environment variable that is set and not empty.
func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}

/// The names in a folder, sorted; none where it cannot be read.
func namesInFolder(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Whether a file of this name exists.
func fileExists(_ path: String) -> Bool { access(path, R_OK) == 0 }
