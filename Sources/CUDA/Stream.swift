/// A queue of work for a card, done in order while the host goes on.
///
/// Serves one thread at a time.
public final class Stream {
    /// The card.
    public let device: Device
    let handle: UnsafeMutableRawPointer?

    /// An empty queue.
    public init(_ device: Device) throws(CUDAError) {
        self.device = device
        try device.use()
        var handle: UnsafeMutableRawPointer?
        // Does not wait for the driver's default queue.
        try device.functions.check(device.functions.createStream(&handle, 1), "making a queue")
        self.handle = handle
    }

    deinit {
        device.discard { $0.destroyStream(handle) }
    }

    /// Waits until all that was asked for is done; errors of kernels show here.
    public func synchronize() throws(CUDAError) {
        try device.use()
        try device.functions.check(
            device.functions.synchronizeStream(handle), "computing on \(device.name)")
    }

    // MARK: - Copies

    /// Copies an array into a buffer from element `offset` on, and waits.
    public func write<Element>(
        _ values: [Element], to buffer: Buffer<Element>, at offset: Int = 0
    ) throws(CUDAError) {
        precondition(offset >= 0 && offset + values.count <= buffer.count)
        guard !values.isEmpty else { return }
        try device.use()
        let result = values.withUnsafeBytes { bytes in
            bytes.baseAddress.map {
                device.functions.copyToDevice(buffer.address(of: offset), $0, bytes.count, handle)
            } ?? 0
        }
        try device.functions.check(result, "copying to \(device.name)")
        try synchronize()
    }

    /// Copies elements of a pinned buffer into a buffer, without waiting: they must stay as they
    /// are until the copy is done.
    public func copy<Element>(
        _ source: PinnedBuffer<Element>, from start: Int = 0, count: Int,
        to buffer: Buffer<Element>, at offset: Int = 0
    ) throws(CUDAError) {
        precondition(start >= 0 && start + count <= source.count)
        precondition(offset >= 0 && offset + count <= buffer.count)
        guard count > 0 else { return }
        try device.use()
        try device.functions.check(
            device.functions.copyToDevice(
                buffer.address(of: offset), source.base + start,
                count * MemoryLayout<Element>.stride, handle), "copying to \(device.name)")
    }

    /// Copies elements of a buffer into a pinned buffer, without waiting.
    public func copy<Element>(
        _ buffer: Buffer<Element>, from start: Int = 0, count: Int,
        to target: PinnedBuffer<Element>, at offset: Int = 0
    ) throws(CUDAError) {
        precondition(start >= 0 && start + count <= buffer.count)
        precondition(offset >= 0 && offset + count <= target.count)
        guard count > 0 else { return }
        try device.use()
        try device.functions.check(
            device.functions.copyToHost(
                UnsafeMutableRawPointer(target.base + offset), buffer.address(of: start),
                count * MemoryLayout<Element>.stride, handle), "copying from \(device.name)")
    }

    /// Copies elements from one buffer to another, without waiting.
    public func copy<Element>(
        _ source: Buffer<Element>, from start: Int = 0, count: Int, to target: Buffer<Element>,
        at offset: Int = 0
    ) throws(CUDAError) {
        precondition(start >= 0 && start + count <= source.count)
        precondition(offset >= 0 && offset + count <= target.count)
        guard count > 0 else { return }
        try device.use()
        try device.functions.check(
            device.functions.copyOnDevice(
                target.address(of: offset), source.address(of: start),
                count * MemoryLayout<Element>.stride, handle), "copying on \(device.name)")
    }

    /// Elements of a buffer, waited for.
    public func read<Element>(
        _ buffer: Buffer<Element>, _ range: Range<Int>? = nil
    ) throws(CUDAError) -> [Element] {
        let range = range ?? 0..<buffer.count
        precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
        guard !range.isEmpty else { return [] }
        try device.use()
        var result: Int32 = 0
        let values = [Element](unsafeUninitializedCapacity: range.count) { target, count in
            guard let base = target.baseAddress else { return }
            result = device.functions.copyToHost(
                UnsafeMutableRawPointer(base), buffer.address(of: range.lowerBound),
                range.count * MemoryLayout<Element>.stride, handle)
            if result == 0 { result = device.functions.synchronizeStream(handle) }
            count = range.count
        }
        try device.functions.check(result, "reading from \(device.name)")
        return values
    }

    /// Sets every byte of a buffer, without waiting.
    public func fill<Element>(_ buffer: Buffer<Element>, byte: UInt8 = 0) throws(CUDAError) {
        guard buffer.byteCount > 0 else { return }
        try device.use()
        try device.functions.check(
            device.functions.fillBytes(buffer.address, byte, buffer.byteCount, handle),
            "clearing memory on \(device.name)")
    }

    // MARK: - Kernels and graphs

    /// Asks for a kernel: `grid` blocks of `threads` threads, `depth` times, with these arguments,
    /// in the order of the kernel's parameters and of their very types.
    ///
    /// - Parameters:
    ///   - depth: Blocks along the third dimension.
    ///   - sharedBytes: Dynamic shared memory of a block.
    public func launch<each Argument: KernelArgument>(
        _ kernel: Kernel, grid: (Int, Int), depth: Int = 1, threads: Int, sharedBytes: Int = 0,
        _ arguments: repeat each Argument
    ) throws(CUDAError) {
        try device.use()
        var words: [UInt64] = []
        for argument in repeat each arguments { words.append(argument.kernelWord) }
        let result = words.withUnsafeMutableBufferPointer { words in
            withUnsafeTemporaryAllocation(
                of: UnsafeMutableRawPointer?.self, capacity: max(words.count, 1)
            ) { pointers in
                for index in words.indices {
                    pointers.initializeElement(
                        at: index, to: words.baseAddress.map { UnsafeMutableRawPointer($0 + index) }
                    )
                }
                return device.functions.launchKernel(
                    kernel.handle, UInt32(grid.0), UInt32(grid.1), UInt32(depth), UInt32(threads),
                    1, 1,
                    UInt32(sharedBytes), handle, pointers.baseAddress, nil)
            }
        }
        try device.functions.check(result, "launching \(kernel.name)")
    }

    /// What `body` asks this queue for, as one graph that can be asked for any number of times;
    /// nothing is done yet.
    ///
    /// Inside, nothing may wait for the card or allocate on it.
    public func capture(
        _ body: () throws(CUDAError) -> Void
    ) throws(CUDAError) -> Graph {
        try device.use()
        // Thread-local: other threads may call what a capture forbids.
        try device.functions.check(device.functions.beginCapture(handle, 1), "beginning a graph")
        var graph: UnsafeMutableRawPointer?
        do {
            try body()
        } catch {
            _ = device.functions.endCapture(handle, &graph)
            device.discard { $0.destroyGraph(graph) }
            throw error
        }
        try device.functions.check(device.functions.endCapture(handle, &graph), "ending a graph")
        return try Graph(device: device, graph: graph)
    }

    /// Asks for all that a graph holds.
    public func launch(_ graph: Graph) throws(CUDAError) {
        try device.use()
        try device.functions.check(
            device.functions.launchGraph(graph.executable, handle), "launching a graph")
    }

    /// Marks this place of the queue with the time at which the card comes to it.
    public func record(_ event: Event) throws(CUDAError) {
        try device.use()
        try device.functions.check(
            device.functions.recordEvent(event.handle, handle), "recording an event")
    }
}
