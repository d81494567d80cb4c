#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

import Processes

/// The functions of `Bridge/bridge.c`, by address.
///
/// Those that return a number return 0 or an error of MPI's.
struct BridgeFunctions: Sendable {
    typealias Out<T> = UnsafeMutablePointer<T>

    let start: @convention(c) (Out<Int32>, Out<Int32>) -> Int32
    let sum: @convention(c) (Out<Float>, Int32) -> Int32
    let exchange: @convention(c) (UnsafePointer<UInt64>, Out<UInt64>) -> Int32
    let gather: @convention(c) (UnsafePointer<UInt8>, UnsafePointer<UInt64>, Out<UInt8>) -> Int32
    let test: @convention(c) (Out<Int32>) -> Int32
    let explain: @convention(c) (Int32, Out<CChar>, Int32) -> Void
    let confine: @convention(c) (UnsafePointer<Int32>, Int32) -> Void
    let abort: @convention(c) (Int32) -> Void
    let finish: @convention(c) () -> Int32

    /// What the functions here are written for.
    private static let version: Int32 = 1

    /// Opens the library at `path`.
    ///
    /// - Throws: `ProcessGroupError` where it cannot be opened, or is another version's.
    init(_ path: String) throws(ProcessGroupError) {
        // MPI's own parts look for its functions among those that all can see.
        guard let handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            throw ProcessGroupError(
                .unavailable, "the bridge to MPI, '\(path)', cannot be opened: \(reason)")
        }
        func find<T>(_ name: String) throws(ProcessGroupError) -> T {
            guard let symbol = dlsym(handle, "trajectory_mpi_" + name) else {
                throw ProcessGroupError(
                    .unavailable,
                    "the bridge to MPI, '\(path)', has no function \(name); compile it anew")
            }
            return unsafeBitCast(symbol, to: T.self)
        }
        let version: @convention(c) () -> Int32 = try find("version")
        guard version() == Self.version else {
            throw ProcessGroupError(
                .unavailable,
                "the bridge to MPI, '\(path)', has version \(version()), not \(Self.version); "
                    + "compile it anew")
        }
        start = try find("start")
        sum = try find("sum")
        exchange = try find("exchange")
        gather = try find("gather")
        test = try find("test")
        explain = try find("explain")
        confine = try find("confine")
        abort = try find("abort")
        finish = try find("finish")
    }
}
