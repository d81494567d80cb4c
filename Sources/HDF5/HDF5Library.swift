import CHDF5
import Foundation

/// The C library as a whole: its lock, its error stack, and what it has open.
public enum HDF5Library {
    /// Number of files, groups, datasets, types and attributes that the library has open.
    ///
    /// For tests: everything opened must have been closed.
    public static var openObjectCount: Int {
        locked { H5Fget_obj_count(chdf5_all_files(), chdf5_all_objects()) }
    }

    // The library keeps global state and, as Debian builds it, takes no lock of its own. Recursive,
    // since a handle may be released, and so closed, inside a locked section.
    private static let lock: NSRecursiveLock = {
        // At the end of the process the library would visit what it has open once more, and what it
        // could not close after a failure can bring it down.
        H5dont_atexit()
        leaveFilesUnlocked()
        return NSRecursiveLock()
    }()

    /// Has the library open every file without locking it: file systems that have no locks refuse
    /// them.
    ///
    /// By its property list a file that is opened can be left unlocked, not one behind a link or a
    /// virtual dataset, and the library does not open a file that it has open under the other rule:
    /// what one thread reads directly would be missing to another that follows a link to it. The
    /// variable of the environment holds for all; the library reads it once, at its first file.
    private static func leaveFilesUnlocked() {
        let variable = "HDF5_USE_FILE_LOCKING"
        guard getenv(variable) == nil else { return }
        setenv(variable, "FALSE", 1)
        _ = H5Fis_hdf5("/dev/null")
        unsetenv(variable)
    }

    /// Runs `body` while no other thread is inside the library.
    static func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result)
        throws(Failure) -> Result
    {
        lock.lock()
        defer { lock.unlock() }
        // Where the library does know threads, each one has its own setting. Without it, it prints
        // its error stack to standard error.
        H5Eset_auto2(chdf5_error_stack(), nil, nil)
        _ = LZFFilter.isRegistered
        return try body()
    }

    // The library's words for the last failure, kept since its next call forgets them. Each thread
    // keeps its own: between a failure and its message, other threads may use the library.
    private static var words: String {
        get { note("HDF5 failure") ?? "" }
        set { setNote("HDF5 failure", newValue) }
    }

    /// What this thread noted under `key`.
    static func note(_ key: String) -> String? { Thread.current.threadDictionary[key] as? String }

    /// Notes something for this thread.
    static func setNote(_ key: String, _ text: String?) {
        Thread.current.threadDictionary[key] = text
    }

    /// Whether a call succeeded, to be asked at once; if not, its reason is kept.
    static func succeeded(_ status: Int64) -> Bool {
        if status < 0 { words = currentWords() }
        return status >= 0
    }

    /// Whether a call succeeded, to be asked at once; if not, its reason is kept.
    static func succeeded(_ status: herr_t) -> Bool { succeeded(Int64(status)) }

    /// The reason of the last failure in the library's own words, for the end of a message.
    static func reason() -> String {
        defer { words = "" }
        return words.isEmpty ? "" : " (HDF5: \(words))"
    }

    private static func currentWords() -> String {
        var words = ""
        // The first entry upwards is the innermost function's, which knows the cause.
        withUnsafeMutablePointer(to: &words) { pointer in
            _ = H5Ewalk2(
                chdf5_error_stack(), H5E_WALK_UPWARD,
                { index, entry, data in
                    let words = data?.assumingMemoryBound(to: String.self)
                    if index == 0, let text = entry?.pointee.desc {
                        words?.pointee = String(cString: text)
                    }
                    return 0
                }, pointer)
        }
        return words
    }
}

/// One of the library's identifiers, closed when the last reference to it goes.
final class HDF5Handle: Sendable {
    let id: hid_t
    private let close: @convention(c) @Sendable (hid_t) -> herr_t

    /// Takes over `id`; nil where it stands for a failure.
    init?(_ id: hid_t, _ close: @convention(c) @Sendable (hid_t) -> herr_t) {
        guard HDF5Library.succeeded(id) else { return nil }
        self.id = id
        self.close = close
    }

    deinit {
        HDF5Library.locked { _ = close(id) }
    }
}
