/// A program's kernels, compiled for a device and loaded.
public final class Kernels {
    /// The device.
    public let device: Device
    /// How the program came: compiled now, or read from the cache.
    public let wasCached: Bool
    private let module: UnsafeMutableRawPointer?

    /// Compiles a program for `device`, or takes it from `cache`, and loads it.
    ///
    /// - Throws: ``CUDAError`` where it does not compile or the driver refuses it.
    public init(
        _ program: KernelProgram, on device: Device, cache: KernelCache? = .user
    ) throws(CUDAError) {
        self.device = device
        let compiler = device.compiler
        let key = program.key(architecture: device.architecture, compiler: compiler.version)
        var image = cache?.image(key)
        wasCached = image != nil
        if image == nil {
            image = try compiler.compile(program, architecture: device.architecture).image
            if let image { cache?.store(image, key) }
        }
        try device.use()
        var module: UnsafeMutableRawPointer?
        let result = (image ?? []).withUnsafeBytes { bytes in
            bytes.baseAddress.map { device.functions.loadModule(&module, $0) } ?? 1
        }
        try device.functions.check(result, "loading kernels on \(device.name)")
        self.module = module
    }

    deinit {
        device.discard { $0.unloadModule(module) }
    }

    /// The kernel of this name.
    ///
    /// `sharedBytes` is the dynamic shared memory that its launches ask for, where that is more
    /// than 48 KiB.
    public func kernel(_ name: String, sharedBytes: Int = 0) throws(CUDAError) -> Kernel {
        try device.use()
        var handle: UnsafeMutableRawPointer?
        try device.functions.check(
            device.functions.function(&handle, module, name), "looking for kernel \(name)")
        if sharedBytes > 48 << 10 {
            guard sharedBytes <= device.sharedMemoryPerBlock else {
                throw CUDAError(
                    .failed,
                    "kernel \(name) needs \(sharedBytes) bytes of shared memory,"
                        + " \(device.name) has \(device.sharedMemoryPerBlock); use a smaller model")
            }
            try device.functions.check(
                device.functions.setFunctionAttribute(handle, 8, Int32(sharedBytes)),
                "preparing kernel \(name)")
        }
        return Kernel(name: name, handle: handle, owner: self)
    }
}

/// A kernel that can be launched; keeps its program loaded.
public struct Kernel {
    /// The kernel's name in its source.
    public let name: String
    let handle: UnsafeMutableRawPointer?
    private let owner: Kernels

    init(name: String, handle: UnsafeMutableRawPointer?, owner: Kernels) {
        self.name = name
        self.handle = handle
        self.owner = owner
    }
}

/// A value that can be handed to a kernel.
public protocol KernelArgument {
    /// The value's bytes, the first ones of a word of eight.
    var kernelWord: UInt64 { get }
}

extension Int32: KernelArgument {
    /// The number, a C `int`.
    public var kernelWord: UInt64 { UInt64(UInt32(bitPattern: self)) }
}

extension UInt32: KernelArgument {
    /// The number, a C `unsigned`.
    public var kernelWord: UInt64 { UInt64(self) }
}

extension UInt64: KernelArgument {
    /// The number: a C `unsigned long long` or an address on the card.
    public var kernelWord: UInt64 { self }
}

extension Float: KernelArgument {
    /// The number, a C `float`.
    public var kernelWord: UInt64 { UInt64(bitPattern) }
}

extension Buffer: KernelArgument {
    /// The first element's address.
    public var kernelWord: UInt64 { address }
}
