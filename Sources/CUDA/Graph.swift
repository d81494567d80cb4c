/// Work of a queue that was recorded once and is asked for as a whole.
public final class Graph {
    /// Kernels, copies and fills in it.
    public let nodeCount: Int
    let executable: UnsafeMutableRawPointer?
    private let device: Device

    /// Takes over a recorded graph.
    init(device: Device, graph: UnsafeMutableRawPointer?) throws(CUDAError) {
        self.device = device
        defer { device.discard { $0.destroyGraph(graph) } }
        var count = 0
        try device.functions.check(
            device.functions.graphNodes(graph, nil, &count), "counting a graph's nodes")
        nodeCount = count
        var executable: UnsafeMutableRawPointer?
        try device.functions.check(
            device.functions.instantiateGraph(&executable, graph, 0), "preparing a graph")
        self.executable = executable
    }

    deinit {
        device.discard { $0.destroyExecutableGraph(executable) }
    }
}

/// A place in a queue, to measure times between places.
public final class Event {
    let handle: UnsafeMutableRawPointer?
    private let device: Device

    /// An event that is recorded nowhere yet.
    public init(_ device: Device) throws(CUDAError) {
        self.device = device
        try device.use()
        var handle: UnsafeMutableRawPointer?
        try device.functions.check(device.functions.createEvent(&handle, 0), "making an event")
        self.handle = handle
    }

    deinit {
        device.discard { $0.destroyEvent(handle) }
    }

    /// Waits until the card has come to this place.
    public func synchronize() throws(CUDAError) {
        try device.use()
        try device.functions.check(
            device.functions.synchronizeEvent(handle), "computing on \(device.name)")
    }

    /// Seconds on the card from `earlier` to this place; waits for both.
    public func seconds(since earlier: Event) throws(CUDAError) -> Double {
        try earlier.synchronize()
        try synchronize()
        var milliseconds: Float = 0
        try device.functions.check(
            device.functions.elapsedTime(&milliseconds, earlier.handle, handle), "reading a time")
        return Double(milliseconds) / 1000
    }
}
