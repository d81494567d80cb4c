/// NVIDIA's run-time compiler of CUDA C++, opened at run time.
///
/// Kernels are compiled to machine code for the card's own architecture, never to PTX: a driver
/// loads machine code of every compiler of its major version, but not PTX that is newer than
/// itself.
public final class NVRTC: KernelCompiler {
    /// The compiler's version, such as "NVRTC 13.0".
    public let version: String
    /// The library that was opened.
    public let path: String
    private let functions: NVRTCFunctions

    /// Opens the compiler at `path`, or the first one that is found: see ``searchPaths()``.
    ///
    /// - Throws: ``CUDAError`` of code `noCompiler` where there is none.
    public init(path: String? = nil) throws(CUDAError) {
        let candidates = path.map { [$0] } ?? Self.searchPaths()
        for candidate in candidates {
            // Some versions do not look for this beside themselves.
            if let slash = candidate.lastIndex(of: "/") {
                let folder = String(candidate[..<slash])
                for name in namesInFolder(folder)
                where name.hasPrefix("libnvrtc-builtins.so") && !name.contains(".alt.") {
                    _ = DynamicLibrary("\(folder)/\(name)")
                }
            }
            guard let library = DynamicLibrary(candidate),
                let functions = NVRTCFunctions(library)
            else { continue }
            var major: Int32 = 0
            var minor: Int32 = 0
            guard functions.version(&major, &minor) == 0 else { continue }
            version = "NVRTC \(major).\(minor)"
            self.path = candidate
            self.functions = functions
            return
        }
        throw CUDAError(
            .noCompiler,
            path.map { "\($0) is no NVRTC library that can be loaded" }
                ?? "NVIDIA's run-time compiler (libnvrtc) is not found; install it"
                + " (`pip install nvidia-cuda-nvrtc`), or set TRAJECTORY_NVRTC to the library's path"
        )
    }

    public func compile(
        _ program: KernelProgram, architecture: String
    ) throws(CUDAError) -> CompiledKernels {
        let names = CStrings(program.files.map(\.name))
        let texts = CStrings(program.files.map(\.text))
        var handle: UnsafeMutableRawPointer?
        guard
            functions.create(
                &handle, program.source, "kernels.cu", names.count, texts.pointers, names.pointers)
                == 0
        else { throw CUDAError(.compilation, "\(version) takes no program") }
        defer { _ = functions.destroy(&handle) }
        let options = CStrings(
            ["--gpu-architecture=\(architecture)", "--std=c++17", "--ptxas-options=-v"]
                + program.defineOptions)
        let result = functions.compile(handle, options.count, options.pointers)
        let log = String(decoding: bytes(handle, functions.logSize, functions.log), as: UTF8.self)
        guard result == 0 else {
            throw CUDAError(
                .compilation,
                "\(version) refuses the kernels for \(architecture): "
                    + Self.firstError(in: log))
        }
        let image = bytes(handle, functions.cubinSize, functions.cubin)
        guard !image.isEmpty else {
            throw CUDAError(.compilation, "\(version) made no code for \(architecture)")
        }
        return CompiledKernels(image: image, resources: KernelResources.all(in: log))
    }

    private func bytes(
        _ program: UnsafeMutableRawPointer?, _ size: NVRTCFunctions.Size, _ get: NVRTCFunctions.Get
    ) -> [UInt8] {
        var count = 0
        guard size(program, &count) == 0, count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        return get(program, &bytes) == 0 ? bytes : []
    }

    /// The first lines of a log that speak of an error.
    private static func firstError(in log: String) -> String {
        let lines = log.split(whereSeparator: { $0 == "\n" || $0 == "\0" })
        let first = lines.firstIndex { $0.contains("error") } ?? lines.startIndex
        return lines[first...].prefix(3).joined(separator: " | ")
    }
}

/// The functions of NVRTC that are used.
struct NVRTCFunctions: @unchecked Sendable {
    typealias Handle = UnsafeMutableRawPointer
    typealias Strings = UnsafePointer<UnsafePointer<CChar>?>
    typealias Size = @convention(c) (Handle?, UnsafeMutablePointer<Int>) -> Int32
    typealias Get = @convention(c) (Handle?, UnsafeMutablePointer<UInt8>) -> Int32
    typealias Create =
        @convention(c) (
            UnsafeMutablePointer<Handle?>, UnsafePointer<CChar>, UnsafePointer<CChar>, Int32,
            Strings, Strings
        ) -> Int32

    let create: Create
    let destroy: @convention(c) (UnsafeMutablePointer<Handle?>) -> Int32
    let compile: @convention(c) (Handle?, Int32, Strings) -> Int32
    let version: @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32
    let logSize: Size
    let log: Get
    let cubinSize: Size
    let cubin: Get

    /// Nil where the library lacks one.
    init?(_ library: DynamicLibrary) {
        guard let create = library.symbol("nvrtcCreateProgram"),
            let destroy = library.symbol("nvrtcDestroyProgram"),
            let compile = library.symbol("nvrtcCompileProgram"),
            let version = library.symbol("nvrtcVersion"),
            let logSize = library.symbol("nvrtcGetProgramLogSize"),
            let log = library.symbol("nvrtcGetProgramLog"),
            let cubinSize = library.symbol("nvrtcGetCUBINSize"),
            let cubin = library.symbol("nvrtcGetCUBIN")
        else { return nil }
        self.create = unsafeBitCast(create, to: Create.self)
        self.destroy = unsafeBitCast(
            destroy, to: (@convention(c) (UnsafeMutablePointer<Handle?>) -> Int32).self)
        self.compile = unsafeBitCast(
            compile, to: (@convention(c) (Handle?, Int32, Strings) -> Int32).self)
        self.version = unsafeBitCast(
            version,
            to: (@convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32)
                .self)
        self.logSize = unsafeBitCast(logSize, to: Size.self)
        self.log = unsafeBitCast(log, to: Get.self)
        self.cubinSize = unsafeBitCast(cubinSize, to: Size.self)
        self.cubin = unsafeBitCast(cubin, to: Get.self)
    }
}
