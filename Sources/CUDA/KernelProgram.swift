/// Sources of kernels and the constants that they are compiled with.
public struct KernelProgram: Sendable {
    /// One source file.
    public struct File: Sendable {
        /// The name by which other files include it.
        public var name: String
        /// Its text.
        public var text: String

        /// A file.
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// Files that can be included; those to be compiled are included one after the other.
    public var files: [File]
    /// Names of the files to be compiled, as one translation unit.
    public var units: [String]
    /// Macros and their values.
    public var defines: [String: String]

    /// A program of the files `units` of `files`.
    public init(files: [File], units: [String], defines: [String: String]) {
        self.files = files
        self.units = units
        self.defines = defines
    }

    /// The translation unit.
    var source: String { units.map { "#include \"\($0)\"\n" }.joined() }

    /// The macros as compilers take them, sorted.
    var defineOptions: [String] {
        defines.sorted { $0.key < $1.key }.map { "-D\($0.key)=\($0.value)" }
    }

    /// A name for the image: the same for the same sources, constants, architecture and compiler.
    func key(architecture: String, compiler: String) -> String {
        var parts = [architecture, compiler] + units + defineOptions
        for file in files { parts += [file.name, file.text] }
        // Two FNV-1a hashes over all parts, which are kept apart by a zero.
        var hashes: [UInt64] = [0xcbf2_9ce4_8422_2325, 0x9ae1_6a3b_2f90_404f]
        for part in parts {
            for byte in part.utf8 {
                for index in hashes.indices {
                    hashes[index] = (hashes[index] ^ UInt64(byte)) &* 0x100_0000_01b3
                }
            }
            for index in hashes.indices { hashes[index] = hashes[index] &* 0x100_0000_01b3 }
        }
        return hashes.map { hash in
            let digits = String(hash, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// Turns programs into images that a driver loads.
public protocol KernelCompiler: Sendable {
    /// The compiler and its version; images of another are not reused.
    var version: String { get }
    /// The image for an architecture and what the compiler says of its kernels.
    func compile(_ program: KernelProgram, architecture: String) throws(CUDAError)
        -> CompiledKernels
}

/// A compiled program.
public struct CompiledKernels: Sendable {
    /// What the driver loads: a cubin.
    public var image: [UInt8]
    /// What each kernel needs of a multiprocessor; empty where the compiler does not say.
    public var resources: [KernelResources]
}
