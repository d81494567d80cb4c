public import CUDA
public import Learning
import Synchronization

/// Soft actor-critic on a card: the updates of `CPUSoftActorCritic`, from the same random numbers.
///
/// Networks, moments and memory stay on the card, and an update is a graph in which the host has no
/// part. The same state, settings and rows give the same parameters bit for bit, on every run and
/// every card of one architecture. Calls wait for each other.
public final class CUDASoftActorCritic: SoftActorCriticEngine, @unchecked Sendable {
    // Guarded by `lock`: a stream serves one thread at a time.
    private let lock = Mutex(())
    private let settings: SoftActorCriticSettings
    private let stream: Stream
    private let memory: SoftActorCriticMemory
    /// Graphs need them loaded.
    private let kernels: SoftActorCriticKernels
    private let one: Graph
    private let several: Graph
    private var learnt: SoftActorCriticState
    private var end: Int
    private var size = 0

    /// Updates in the larger of both graphs.
    private static let updatesPerGraph = 10

    /// Goes on from `state` on `device`, with an empty memory.
    ///
    /// `firstRow` is the run's number of the first row that will be put into the memory.
    ///
    /// - Throws: `LearningError` for networks that the kernels cannot compute; `CUDAError` where the
    ///   card cannot compile or hold them.
    public init(
        _ state: SoftActorCriticState, settings: SoftActorCriticSettings, firstRow: Int = 0,
        on device: Device
    ) throws {
        try settings.validate()
        let shape = try SoftActorCriticShape(state, batch: settings.batchSize)
        self.settings = settings
        learnt = state
        end = firstRow
        let stream = try Stream(device)
        let kernels = try SoftActorCriticKernels(shape, on: device)
        let memory = try SoftActorCriticMemory(shape, capacity: settings.capacity, on: device)
        (self.stream, self.kernels, self.memory) = (stream, kernels, memory)
        try memory.write(state, stream)
        try stream.write(SoftActorCriticNumbers(state, settings).words, to: memory.state)
        one = try stream.capture { () throws(CUDAError) in try memory.update(kernels, stream) }
        several = try stream.capture { () throws(CUDAError) in
            for _ in 0..<Self.updatesPerGraph { try memory.update(kernels, stream) }
        }
    }

    /// Puts transitions into the memory.
    public func append(_ rows: SoftActorCriticRows) throws {
        let count = rows.count
        precondition(
            rows.observations.count == count * memory.shape.observation
                && rows.nextObservations.count == rows.observations.count
                && rows.actions.count == count * memory.shape.action
                && rows.terminals.count == count, "transitions of other sizes")
        guard count > 0 else { return }
        try lock.withLock { _ in
            try memory.append(rows, at: end, stream)
            end += count
            size = min(size + count, memory.capacity)
            try stream.write(
                [UInt64(size)], to: memory.state, at: SoftActorCriticNumbers.size)
        }
    }

    /// Does `count` updates and returns when they are done.
    public func update(_ count: Int) throws -> SoftActorCriticUpdates {
        guard count > 0 else { return SoftActorCriticUpdates() }
        return try lock.withLock { _ in
            guard size > 0 else {
                throw LearningError(.noData, "an empty memory", "put transitions into it first")
            }
            for _ in 0..<(count / Self.updatesPerGraph) { try stream.launch(several) }
            for _ in 0..<(count % Self.updatesPerGraph) { try stream.launch(one) }
            let numbers = SoftActorCriticNumbers(try stream.read(memory.state))
            try stream.write(
                [UInt64](repeating: 0, count: SoftActorCriticNumbers.sums.count), to: memory.state,
                at: SoftActorCriticNumbers.sums.lowerBound)
            return numbers.means(count)
        }
    }

    /// The parameters of the actor.
    public func actor() throws -> [Float] {
        try lock.withLock { _ in try memory.actor(stream) }
    }

    /// All that is learnt, without the memory.
    public func state() throws -> SoftActorCriticState {
        try lock.withLock { _ in
            try memory.read(&learnt, stream)
            let numbers = SoftActorCriticNumbers(try stream.read(memory.state))
            learnt.updates = numbers.updates
            learnt.logTemperature = numbers.temperature.logarithm
            learnt.temperatureMoments.first = [numbers.temperature.first]
            learnt.temperatureMoments.second = [numbers.temperature.second]
            return learnt
        }
    }
}
