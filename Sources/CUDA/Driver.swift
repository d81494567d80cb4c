/// Where the functions of a CUDA driver come from.
///
/// A driver is a library opened at run time. One that is not NVIDIA's may bring its own compiler of
/// kernels: the driver that the tests run on does (target `EmulatedCUDA`).
public struct Driver: Sendable {
    let symbol: @Sendable (String) -> UnsafeMutableRawPointer?
    let name: String

    /// A driver whose functions are looked up by `symbol`.
    public init(name: String, symbol: @escaping @Sendable (String) -> UnsafeMutableRawPointer?) {
        self.name = name
        self.symbol = symbol
    }

    /// The driver at a path, or the installed one: `libcuda.so.1`, unless the environment variable
    /// `TRAJECTORY_CUDA_DRIVER` names another.
    ///
    /// - Throws: ``CUDAError`` of code `noDriver` where it cannot be loaded.
    public init(path: String? = nil) throws(CUDAError) {
        let path = path ?? environmentVariable("TRAJECTORY_CUDA_DRIVER")
        let names =
            path.map { [$0] }
            ?? [
                "libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1",
                "/usr/lib/wsl/lib/libcuda.so.1",
            ]
        for name in names {
            guard let library = DynamicLibrary(name) else { continue }
            self.init(name: name) { library.symbol($0) }
            return
        }
        throw CUDAError(
            .noDriver,
            "no CUDA driver can be loaded (\(names[0])); install NVIDIA's driver, or"
                + " compute on the CPU")
    }
}
