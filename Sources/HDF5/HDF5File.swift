import CHDF5
import Files
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
            guard
                let handle = HDF5Handle(
                    H5Fopen(path, chdf5_read_only(), chdf5_default()), H5Fclose)
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
    /// The library builds the file in memory, which must hold it: a disk that fills while the
    /// library writes leaves it with a file that it can neither finish nor close.
    ///
    /// - Parameters:
    ///   - url: Where the file shall lie; a file there is replaced.
    ///   - body: Writes groups and datasets into the root group.
    /// - Throws: ``HDF5Error`` when the file cannot be written, or what `body` throws.
    public static func write(to url: URL, _ body: (HDF5Group) throws(HDF5Error) -> Void)
        throws(HDF5Error)
    {
        func failure(_ what: String) -> HDF5Error {
            HDF5Error(code: .unwritable, file: url.path, key: nil, detail: what)
        }
        let output: PendingFile
        do {
            output = try PendingFile(for: url)
        } catch {
            throw failure(error.detail)
        }
        let file = try HDF5File(
            url.path, writable: true, HDF5LinkAccess(followsExternal: false)
        ) { () throws(HDF5Error) in
            guard let access = HDF5Handle(H5Pcreate(chdf5_file_access()), H5Pclose),
                HDF5Library.succeeded(H5Pset_fapl_core(access.id, memoryStep, false)),
                let handle = HDF5Handle(
                    // A name for the library alone; nothing of the name is made.
                    H5Fcreate(
                        "memory-\(UUID().uuidString)", chdf5_exclusive(), chdf5_default(),
                        access.id), H5Fclose)
            else { throw failure("the file cannot be begun\(HDF5Library.reason())") }
            return handle
        }
        try body(file.root)
        try HDF5Library.locked { () throws(HDF5Error) in
            guard HDF5Library.succeeded(H5Fflush(file.handle.id, H5F_SCOPE_GLOBAL)),
                let content = file.content
            else { throw failure("the file cannot be completed\(HDF5Library.reason())") }
            do throws(FileError) {
                try output.write(content)
                try output.commit()
            } catch {
                throw failure(error.detail)
            }
        }
    }

    /// By how much the memory for a new file grows.
    private static let memoryStep = 1 << 20

    /// The bytes of a file in memory, valid until something is added or it is closed.
    private var content: UnsafeRawBufferPointer? {
        var start: UnsafeMutableRawPointer?
        let size = H5Fget_file_image(handle.id, nil, 0)
        guard HDF5Library.succeeded(Int64(size)),
            HDF5Library.succeeded(H5Fget_vfd_handle(handle.id, chdf5_default(), &start)),
            // Of a file in memory, the handle is where the memory's address is kept.
            let memory = start?.load(as: UnsafeRawPointer?.self)
        else { return nil }
        return UnsafeRawBufferPointer(start: memory, count: size)
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
