/// The compiler that a driver other than NVIDIA's brings for its own images.
///
/// It exports `tt_compile_kernels`: from a folder's worth of sources to an image, or a message.
struct DriverCompiler: KernelCompiler, @unchecked Sendable {
    /// (count, names, texts, unit, option count, options, out image, out size) -> 0, or 1 with a
    /// message as image.
    private typealias Compile =
        @convention(c) (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>,
            UnsafePointer<CChar>, Int32, UnsafePointer<UnsafePointer<CChar>?>,
            UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>
        ) -> Int32
    private typealias Free = @convention(c) (UnsafeMutablePointer<UInt8>?) -> Void
    private typealias Version = @convention(c) () -> UnsafePointer<CChar>

    let version: String
    private let compile: Compile
    private let free: Free

    /// The driver's compiler, if it brings one.
    init?(_ driver: Driver) {
        guard let compile = driver.symbol("tt_compile_kernels"),
            let free = driver.symbol("tt_free_kernels"),
            let version = driver.symbol("tt_compiler_version")
        else { return nil }
        self.compile = unsafeBitCast(compile, to: Compile.self)
        self.free = unsafeBitCast(free, to: Free.self)
        self.version = String(cString: unsafeBitCast(version, to: Version.self)())
    }

    func compile(
        _ program: KernelProgram, architecture: String
    ) throws(CUDAError) -> CompiledKernels {
        var image: UnsafeMutablePointer<UInt8>?
        var size = 0
        let names = CStrings(program.files.map(\.name))
        let texts = CStrings(program.files.map(\.text))
        let options = CStrings(program.defineOptions)
        let result = compile(
            names.count, names.pointers, texts.pointers, program.source, options.count,
            options.pointers, &image, &size)
        defer { free(image) }
        let bytes = Array(UnsafeBufferPointer(start: image, count: size))
        guard result == 0 else {
            throw CUDAError(
                .compilation,
                "the kernels do not compile: \(String(decoding: bytes, as: UTF8.self))"
            )
        }
        return CompiledKernels(image: bytes, resources: [])
    }
}
