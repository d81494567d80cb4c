/// The functions of the CUDA driver that the engine uses, by address.
///
/// Handles are opaque; sizes are bytes; every function returns 0 or an error's number.
struct DriverFunctions: @unchecked Sendable {
    typealias Handle = UnsafeMutableRawPointer
    typealias Result = Int32
    typealias Out<T> = UnsafeMutablePointer<T>

    let initialize: @convention(c) (UInt32) -> Result
    let driverVersion: @convention(c) (Out<Int32>) -> Result
    let deviceCount: @convention(c) (Out<Int32>) -> Result
    let device: @convention(c) (Out<Int32>, Int32) -> Result
    let deviceName: @convention(c) (Out<CChar>, Int32, Int32) -> Result
    let deviceAttribute: @convention(c) (Out<Int32>, Int32, Int32) -> Result
    let deviceMemory: @convention(c) (Out<Int>, Int32) -> Result
    let retainContext: @convention(c) (Out<Handle?>, Int32) -> Result
    let releaseContext: @convention(c) (Int32) -> Result
    let setContext: @convention(c) (Handle?) -> Result
    let memoryInformation: @convention(c) (Out<Int>, Out<Int>) -> Result

    let loadModule: @convention(c) (Out<Handle?>, UnsafeRawPointer) -> Result
    let unloadModule: @convention(c) (Handle?) -> Result
    let function: @convention(c) (Out<Handle?>, Handle?, UnsafePointer<CChar>) -> Result
    let functionAttribute: @convention(c) (Out<Int32>, Int32, Handle?) -> Result
    let setFunctionAttribute: @convention(c) (Handle?, Int32, Int32) -> Result

    let allocate: @convention(c) (Out<UInt64>, Int) -> Result
    let free: @convention(c) (UInt64) -> Result
    let allocateHost: @convention(c) (Out<Handle?>, Int) -> Result
    let freeHost: @convention(c) (Handle?) -> Result
    let copyToDevice: @convention(c) (UInt64, UnsafeRawPointer, Int, Handle?) -> Result
    let copyToHost: @convention(c) (Handle, UInt64, Int, Handle?) -> Result
    let copyOnDevice: @convention(c) (UInt64, UInt64, Int, Handle?) -> Result
    let fillBytes: @convention(c) (UInt64, UInt8, Int, Handle?) -> Result

    let createStream: @convention(c) (Out<Handle?>, UInt32) -> Result
    let destroyStream: @convention(c) (Handle?) -> Result
    let synchronizeStream: @convention(c) (Handle?) -> Result
    let beginCapture: @convention(c) (Handle?, Int32) -> Result
    let endCapture: @convention(c) (Handle?, Out<Handle?>) -> Result
    let instantiateGraph: @convention(c) (Out<Handle?>, Handle?, UInt64) -> Result
    let graphNodes: @convention(c) (Handle?, Handle?, Out<Int>) -> Result
    let launchGraph: @convention(c) (Handle?, Handle?) -> Result
    let destroyGraph: @convention(c) (Handle?) -> Result
    let destroyExecutableGraph: @convention(c) (Handle?) -> Result

    let createEvent: @convention(c) (Out<Handle?>, UInt32) -> Result
    let destroyEvent: @convention(c) (Handle?) -> Result
    let recordEvent: @convention(c) (Handle?, Handle?) -> Result
    let synchronizeEvent: @convention(c) (Handle?) -> Result
    let elapsedTime: @convention(c) (Out<Float>, Handle?, Handle?) -> Result

    let launchKernel:
        @convention(c) (
            Handle?, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, Handle?,
            Out<Handle?>?, Handle?
        ) -> Result
    let errorString: @convention(c) (Result, Out<UnsafePointer<CChar>?>) -> Result

    /// Looks all functions up in a driver.
    ///
    /// - Throws: ``CUDAError`` where one is missing: the driver is too old.
    init(_ driver: Driver) throws(CUDAError) {
        func find<T>(_ name: String) throws(CUDAError) -> T {
            guard let symbol = driver.symbol(name) else {
                throw CUDAError(
                    .tooOld,
                    "the CUDA driver has no function \(name); a driver of CUDA 12 or later"
                        + " is needed")
            }
            return unsafeBitCast(symbol, to: T.self)
        }
        initialize = try find("cuInit")
        driverVersion = try find("cuDriverGetVersion")
        deviceCount = try find("cuDeviceGetCount")
        device = try find("cuDeviceGet")
        deviceName = try find("cuDeviceGetName")
        deviceAttribute = try find("cuDeviceGetAttribute")
        deviceMemory = try find("cuDeviceTotalMem_v2")
        retainContext = try find("cuDevicePrimaryCtxRetain")
        releaseContext = try find("cuDevicePrimaryCtxRelease_v2")
        setContext = try find("cuCtxSetCurrent")
        memoryInformation = try find("cuMemGetInfo_v2")
        loadModule = try find("cuModuleLoadData")
        unloadModule = try find("cuModuleUnload")
        function = try find("cuModuleGetFunction")
        functionAttribute = try find("cuFuncGetAttribute")
        setFunctionAttribute = try find("cuFuncSetAttribute")
        allocate = try find("cuMemAlloc_v2")
        free = try find("cuMemFree_v2")
        allocateHost = try find("cuMemAllocHost_v2")
        freeHost = try find("cuMemFreeHost")
        copyToDevice = try find("cuMemcpyHtoDAsync_v2")
        copyToHost = try find("cuMemcpyDtoHAsync_v2")
        copyOnDevice = try find("cuMemcpyDtoDAsync_v2")
        fillBytes = try find("cuMemsetD8Async")
        createStream = try find("cuStreamCreate")
        destroyStream = try find("cuStreamDestroy_v2")
        synchronizeStream = try find("cuStreamSynchronize")
        beginCapture = try find("cuStreamBeginCapture_v2")
        endCapture = try find("cuStreamEndCapture")
        instantiateGraph = try find("cuGraphInstantiateWithFlags")
        graphNodes = try find("cuGraphGetNodes")
        launchGraph = try find("cuGraphLaunch")
        destroyGraph = try find("cuGraphDestroy")
        destroyExecutableGraph = try find("cuGraphExecDestroy")
        createEvent = try find("cuEventCreate")
        destroyEvent = try find("cuEventDestroy_v2")
        recordEvent = try find("cuEventRecord")
        synchronizeEvent = try find("cuEventSynchronize")
        elapsedTime = try find("cuEventElapsedTime")
        launchKernel = try find("cuLaunchKernel")
        errorString = try find("cuGetErrorString")
    }

    /// Throws what the driver says about a result that is not 0.
    func check(_ result: Result, _ doing: @autoclosure () -> String) throws(CUDAError) {
        guard result != 0 else { return }
        var text: UnsafePointer<CChar>?
        _ = errorString(result, &text)
        let said = text.map { String(cString: $0) } ?? "unknown error"
        let code: CUDAError.Code =
            switch result {
            case 2: .outOfMemory
            case 100, 101: .noDevice
            case 35, 803: .tooOld
            default: .failed
            }
        throw CUDAError(code, "\(doing()) failed: \(said) (CUDA error \(result))")
    }
}
