/// A card, ready to compute: its driver, its context and what it is.
///
/// All that is made on a device keeps it. Functions may be called from any thread.
public final class Device: Sendable {
    /// The card's name, such as "NVIDIA H100 80GB HBM3".
    public let name: String
    /// What kernels are compiled for, such as "sm_90".
    public let architecture: String
    /// The driver's CUDA version: 13000 is 13.0.
    public let driverVersion: Int
    /// Multiprocessors on the card.
    public let multiprocessorCount: Int
    /// Shared memory that one block can ask for, in bytes.
    public let sharedMemoryPerBlock: Int
    /// The second cache's size in bytes.
    public let cacheSize: Int
    /// The card's memory in bytes.
    public let memorySize: Int
    /// Compiles kernels for this device.
    public let compiler: any KernelCompiler

    let functions: DriverFunctions
    private let number: Int32
    private let context: Context

    /// The driver's handle of a context; never dereferenced here.
    private struct Context: @unchecked Sendable {
        let handle: UnsafeMutableRawPointer?
    }

    /// Opens a card.
    ///
    /// - Parameters:
    ///   - index: The card's number among those that the driver shows.
    ///   - driver: The driver; the installed one where not given.
    ///   - compiler: Compiles kernels; where not given what the driver brings, or NVRTC.
    /// - Throws: ``CUDAError``: no driver, no card, no compiler, or one that is too old.
    public init(
        index: Int = 0, driver: Driver? = nil, compiler: (any KernelCompiler)? = nil
    ) throws(CUDAError) {
        let driver = if let driver { driver } else { try Driver() }
        let functions = try DriverFunctions(driver)
        self.functions = functions
        try functions.check(functions.initialize(0), "starting the CUDA driver")
        var version: Int32 = 0
        var count: Int32 = 0
        try functions.check(functions.driverVersion(&version), "asking for the driver's version")
        try functions.check(functions.deviceCount(&count), "counting cards")
        guard index >= 0 && index < count else {
            throw CUDAError(
                .noDevice,
                count == 0
                    ? "the CUDA driver finds no card"
                    : "there is no card \(index); there are \(count)")
        }
        var device: Int32 = 0
        try functions.check(functions.device(&device, Int32(index)), "opening card \(index)")
        number = device
        driverVersion = Int(version)

        func attribute(_ number: Int32) throws(CUDAError) -> Int {
            var value: Int32 = 0
            try functions.check(
                functions.deviceAttribute(&value, number, device), "asking for a card's property")
            return Int(value)
        }
        var text = [CChar](repeating: 0, count: 256)
        try functions.check(functions.deviceName(&text, 255, device), "asking for a card's name")
        name = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let major = try attribute(75)
        guard major >= 8 else {
            throw CUDAError(
                .tooOld,
                "\(name) has compute capability \(major).\(try attribute(76)); the kernels"
                    + " need 8.0 or later")
        }
        architecture = "sm_\(major)\(try attribute(76))"
        multiprocessorCount = try attribute(16)
        sharedMemoryPerBlock = try attribute(97)
        cacheSize = try attribute(38)
        var memory = 0
        try functions.check(functions.deviceMemory(&memory, device), "asking for a card's memory")
        memorySize = memory
        self.compiler =
            if let compiler { compiler } else if let own = DriverCompiler(driver) { own } else {
                try NVRTC()
            }
        var context: UnsafeMutableRawPointer?
        try functions.check(functions.retainContext(&context, device), "opening \(name)")
        self.context = Context(handle: context)
    }

    deinit {
        _ = functions.releaseContext(number)
    }

    /// Makes this device the calling thread's, as the driver wants it before most calls.
    func use() throws(CUDAError) {
        try functions.check(functions.setContext(context.handle), "using \(name)")
    }

    /// Memory of the card that is free, in bytes.
    public func freeMemory() throws(CUDAError) -> Int {
        try use()
        var free = 0
        var total = 0
        try functions.check(functions.memoryInformation(&free, &total), "asking for free memory")
        return free
    }

    /// Runs a call that cannot report an error, when something is thrown away.
    func discard(_ call: (DriverFunctions) -> Int32) {
        _ = functions.setContext(context.handle)
        _ = call(functions)
    }
}
