/// A fixed number of elements in a card's memory, freed with the object; undefined at first.
public final class Buffer<Element: BitwiseCopyable> {
    /// The card.
    public let device: Device
    /// Number of elements.
    public let count: Int
    /// The first element's address on the card.
    public let address: UInt64

    /// Allocates `count` elements.
    ///
    /// - Throws: ``CUDAError`` of code `outOfMemory` where they do not fit.
    public init(count: Int, on device: Device) throws(CUDAError) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        self.device = device
        self.count = count
        try device.use()
        var address: UInt64 = 0
        let bytes = max(count * MemoryLayout<Element>.stride, 16)
        try device.functions.check(
            device.functions.allocate(&address, bytes),
            "allocating \(bytes) bytes on \(device.name)")
        self.address = address
    }

    deinit {
        device.discard { $0.free(address) }
    }

    /// Size in bytes.
    public var byteCount: Int { count * MemoryLayout<Element>.stride }

    /// The address of element `index`, as a kernel's argument.
    public func address(of index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count)
        return address + UInt64(index * MemoryLayout<Element>.stride)
    }
}

/// A fixed number of elements in the host's memory that a card can copy while the host goes on.
public final class PinnedBuffer<Element: BitwiseCopyable> {
    /// The card.
    public let device: Device
    /// Number of elements.
    public let count: Int
    let base: UnsafeMutablePointer<Element>

    /// Allocates `count` elements, all bits zero.
    public init(count: Int, on device: Device) throws(CUDAError) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        self.device = device
        self.count = count
        try device.use()
        var memory: UnsafeMutableRawPointer?
        let bytes = max(count * MemoryLayout<Element>.stride, 16)
        try device.functions.check(
            device.functions.allocateHost(&memory, bytes), "allocating \(bytes) bytes for copies")
        guard let memory else {
            throw CUDAError(.outOfMemory, "the CUDA driver gave no memory for \(bytes) bytes")
        }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        base = memory.bindMemory(to: Element.self, capacity: max(count, 1))
    }

    deinit {
        device.discard { $0.freeHost(UnsafeMutableRawPointer(base)) }
    }

    /// One element, to read or write.
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count)
            base[index] = newValue
        }
    }

    /// Lends elements to read; only once the copies into them are waited for.
    public func withSpan<Result>(
        _ range: Range<Int>, _ body: (Span<Element>) throws -> Result
    ) rethrows -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let elements = UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        return try body(elements.span)
    }

    /// Overwrites the first elements with all of `other`.
    public func write(_ other: PinnedBuffer<Element>) {
        precondition(other.count <= count)
        base.update(from: other.base, count: other.count)
    }

    /// Overwrites elements from `offset` on.
    public func write(_ values: [Element], at offset: Int = 0) {
        precondition(offset >= 0 && offset + values.count <= count)
        values.withUnsafeBufferPointer { source in
            if let first = source.baseAddress {
                (base + offset).update(from: first, count: source.count)
            }
        }
    }
}
