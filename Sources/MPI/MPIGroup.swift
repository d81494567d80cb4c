#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

public import Processes

/// The processes that `mpirun` or `srun` started together.
///
/// Sums have the same bits in all processes, and in every run with as many of them.
public struct MPIGroup: ProcessGroup {
    /// The number of this process.
    public let rank: Int
    /// How many there are.
    public let count: Int
    /// Their machines' names.
    public private(set) var hosts: [String] = []

    /// How long to wait for processes that should answer at once.
    let patience: Duration
    private let bridge: BridgeFunctions

    /// Joins the others; all of them do, once.
    init(_ bridge: BridgeFunctions, patience: Duration) throws(ProcessGroupError) {
        self.bridge = bridge
        self.patience = patience
        var (rank, count): (Int32, Int32) = (0, 1)
        let code = bridge.start(&rank, &count)
        (self.rank, self.count) = (Int(rank), Int(count))
        try require(code, "to start")
        hosts = try gather(Array(Self.hostName.utf8), isPatient: true).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Adds up over all processes.
    public func sum(_ values: inout MutableSpan<Float>) throws(ProcessGroupError) {
        // MPI counts with 32 bits.
        let most = 1 << 30
        for first in stride(from: 0, to: values.count, by: most) {
            let part = min(most, values.count - first)
            try values.withUnsafeMutableBufferPointer { numbers throws(ProcessGroupError) in
                guard let base = numbers.baseAddress else { return }
                try require(bridge.sum(base + first, Int32(part)), "to add gradients")
                try wait(isPatient: false)
            }
        }
    }

    /// Tells all a number.
    public func exchange(
        _ word: UInt64, isPatient: Bool
    ) throws(ProcessGroupError) -> [UInt64] {
        // On the heap and not moved, for it is read and written until the wait is over.
        let place = UnsafeMutablePointer<UInt64>.allocate(capacity: count + 1)
        defer { place.deallocate() }
        place.initialize(repeating: 0, count: count + 1)
        place[count] = word
        try require(bridge.exchange(place + count, place), "to exchange numbers")
        try wait(isPatient: isPatient)
        return (0..<count).map { place[$0] }
    }

    /// Tells all some bytes.
    public func gather(
        _ bytes: [UInt8], isPatient: Bool
    ) throws(ProcessGroupError) -> [[UInt8]] {
        let lengths = try exchange(UInt64(bytes.count), isPatient: isPatient).map { Int($0) }
        // MPI counts with 32 bits; what is longer goes in several turns.
        let most = max(1, (1 << 30) / count)
        var all = lengths.map { length in
            var part: [UInt8] = []
            part.reserveCapacity(length)
            return part
        }
        for start in stride(from: 0, to: lengths.max() ?? 0, by: most) {
            let parts = lengths.map { min(most, max(0, $0 - start)) }
            let turn = try gather(bytes.dropFirst(start).prefix(most), parts, isPatient: isPatient)
            for (rank, part) in turn.enumerated() { all[rank] += part }
        }
        return all
    }

    /// One turn of ``gather(_:isPatient:)``: so many bytes of each process.
    private func gather(
        _ own: ArraySlice<UInt8>, _ lengths: [Int], isPatient: Bool
    ) throws(ProcessGroupError) -> [ArraySlice<UInt8>] {
        let total = lengths.reduce(0, +)
        // Not moved, for they are read and written until the wait is over.
        let sent = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: own.count + 1)
        let received = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: total + 1)
        defer {
            sent.deallocate()
            received.deallocate()
        }
        sent.initialize(repeating: 0)
        received.initialize(repeating: 0)
        _ = sent.update(fromContentsOf: own)
        guard let from = sent.baseAddress, let to = received.baseAddress else { return [] }
        try require(bridge.gather(from, lengths.map { UInt64($0) }, to), "to exchange results")
        try wait(isPatient: isPatient)
        let all = Array(received)
        var place = 0
        return lengths.map { length in
            defer { place += length }
            return all[place..<(place + length)]
        }
    }

    // MARK: - The end

    /// Confines this process to some of the machine's cores, where the system lets it.
    func confine(to cores: [Int]) {
        bridge.confine(cores.map { Int32($0) }, Int32(cores.count))
    }

    /// Takes leave of the others; all of them do, and none calls anything afterwards.
    public func leave() {
        _ = bridge.finish()
    }

    /// Ends all processes, this one included, within a few seconds even where some cannot be
    /// reached.
    public func abort(code: Int32) -> Never {
        // Where the way to the others is cut, MPI would wait.
        signal(SIGALRM) { _ in _exit(1) }
        alarm(5)
        bridge.abort(code)
        exit(code)
    }

    // MARK: - Waiting

    /// Waits for what was begun.
    private func wait(isPatient: Bool) throws(ProcessGroupError) {
        let clock = ContinuousClock()
        let start = clock.now
        var isDone: Int32 = 0
        var turns = 0
        while true {
            try require(bridge.test(&isDone), "to wait for the others")
            if isDone != 0 { return }
            turns += 1
            // Other processes may share the cores.
            guard turns > 64 else { continue }
            sched_yield()
            guard turns.isMultiple(of: 64) else { continue }
            let waited = clock.now - start
            if !isPatient, waited > patience {
                throw ProcessGroupError(
                    .timedOut,
                    "\(name(of: rank)) has waited \(patience.components.seconds) s for the "
                        + "others; one has died or hangs, or the network is cut")
            }
            // Long waits are for processes that compute, which a nap does not hold up.
            if waited > .seconds(1) {
                usleep(1000)
            } else if waited > .milliseconds(20) {
                usleep(50)
            }
        }
    }

    private func require(_ code: Int32, _ purpose: String) throws(ProcessGroupError) {
        guard code != 0 else { return }
        var text = [CChar](repeating: 0, count: 600)
        bridge.explain(code, &text, Int32(text.count))
        let reason = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw ProcessGroupError(.failed, "\(name(of: rank)) failed \(purpose): \(reason)")
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
