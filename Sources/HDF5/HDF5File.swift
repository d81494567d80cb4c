import CHDF5
public import Foundation

/// An open HDF5 file; it is closed when the last reference to it and its members goes.
///
/// Any thread may use it: one at a time is let into the library.
public final class HDF5File: Sendable {
    /// The file's path, for messages.
    public let path: String
    /// The group that holds all others.
    public let root: HDF5Group
    private let handle: HDF5Handle

    /// Opens a file for reading, in this process.
    ///
    /// A file whose structure is damaged, be it by one bit, can crash the C library or keep it busy
    /// for ever, and this process with it.
    ///
    /// - Parameters:
    ///   - url: The file.
    ///   - followsExternal: Whether data may lie in other files: raw data of their own, links to
    ///     other files, virtual datasets made of them. A file from somewhere can so name any file
    ///     that this process may read.
    /// - Throws: ``HDF5Error`` when the file is missing, unreadable, not HDF5, or cut short.
    public convenience init(reading url: URL, followsExternal: Bool = false) throws(HDF5Error) {
        let path = url.path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw HDF5Error(
                code: .unreadable, file: path, key: nil,
                detail: "there is no such file; check the path")
        }
        guard !isDirectory.boolValue, FileManager.default.isReadableFile(atPath: path) else {
            let what = isDirectory.boolValue ? "it is a folder" : "reading it is not permitted"
            throw HDF5Error(code: .unreadable, file: path, key: nil, detail: what)
        }
        let links = HDF5LinkAccess(followsExternal: followsExternal)
        try self.init(path, writable: false, links) { () throws(HDF5Error) in
            guard H5Fis_hdf5(path) > 0 else {
                throw HDF5Error(
                    code: .malformed, file: path, key: nil,
                    detail: ForeignFile.detail(path))
            }
            // Without the library's lock on the file: file systems that have none refuse it.
            guard let access = HDF5Handle(H5Pcreate(chdf5_file_access()), H5Pclose),
                HDF5Library.succeeded(H5Pset_file_locking(access.id, false, true)),
                let handle = HDF5Handle(H5Fopen(path, chdf5_read_only(), access.id), H5Fclose)
            else {
                throw HDF5Error(
                    code: .malformed, file: path, key: nil,
                    detail: HDF5Library.problem(
                        "it is damaged or cut short; fetch or write it again"))
            }
            return handle
        }
    }

    /// Writes a new file atomically: afterwards either the whole new file is there or what was
    /// there before.
    ///
    /// - Parameters:
    ///   - url: Where the file shall lie; a file there is replaced.
    ///   - body: Writes groups and datasets into the root group.
    /// - Throws: ``HDF5Error`` when the file cannot be written, or what `body` throws.
    public static func write(to url: URL, _ body: (HDF5Group) throws(HDF5Error) -> Void)
        throws(HDF5Error)
    {
        // Beside the target, since only within a file system is a rename atomic.
        let name = ".\(url.lastPathComponent).\(UUID().uuidString.prefix(8)).part"
        let part = url.deletingLastPathComponent().appendingPathComponent(name).path
        func failure(_ what: String) -> HDF5Error {
            HDF5Error(
                code: .unwritable, file: url.path, key: nil,
                detail: "\(what); check the folder, its permissions and the space left")
        }
        do throws(HDF5Error) {
            try HDF5File.fill(part, failure, body)
        } catch {
            _ = unlink(part)
            // The name of the unfinished file means nothing to the caller.
            throw error.file != part
                ? error
                : HDF5Error(
                    code: error.code, file: url.path, key: error.key, detail: error.detail)
        }
        guard rename(part, url.path) == 0 else {
            let reason = String(cString: strerror(errno))
            _ = unlink(part)
            throw failure("renaming failed (\(reason))")
        }
    }

    private static func fill(
        _ part: String, _ failure: (String) -> HDF5Error,
        _ body: (HDF5Group) throws(HDF5Error) -> Void
    ) throws(HDF5Error) {
        let file = try HDF5File(
            part, writable: true, HDF5LinkAccess(followsExternal: false)
        ) { () throws(HDF5Error) in
            let id = H5Fcreate(part, chdf5_exclusive(), chdf5_default(), chdf5_default())
            guard let handle = HDF5Handle(id, H5Fclose) else {
                throw failure("the file cannot be created\(HDF5Library.reason())")
            }
            return handle
        }
        try body(file.root)
        // A full disk shows itself here; closing could no longer say so.
        let flushed = HDF5Library.locked {
            HDF5Library.succeeded(H5Fflush(file.handle.id, H5F_SCOPE_GLOBAL))
        }
        guard flushed else { throw failure("writing failed\(HDF5Library.reason())") }
    }

    private init(
        _ path: String, writable: Bool, _ access: HDF5LinkAccess,
        open: () throws(HDF5Error) -> HDF5Handle
    ) throws(HDF5Error) {
        let (handle, root) = try HDF5Library.locked { () throws(HDF5Error) in
            let handle = try open()
            guard let root = HDF5Handle(H5Gopen2(handle.id, "/", chdf5_default()), H5Gclose) else {
                throw HDF5Error(
                    code: writable ? .unwritable : .malformed, file: path, key: "/",
                    detail: "the root group cannot be opened\(HDF5Library.reason())")
            }
            return (handle, root)
        }
        self.path = path
        self.handle = handle
        self.root = HDF5Group(root, file: path, path: "", access: access)
    }
}
