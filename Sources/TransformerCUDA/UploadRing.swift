import CUDA

/// Pinned memory for what goes to the card, several times over, so that the host can write a step's
/// words while earlier ones are still on their way.
final class UploadRing {
    private struct Slot {
        var words: PinnedBuffer<Int32>
        /// Behind the copy out of `words`.
        var copied: Event
    }

    private let stream: Stream
    private var slots: [Slot] = []
    private var next = 0
    private static let slotCount = 3

    init(_ stream: Stream) { self.stream = stream }

    /// Has `write` fill `count` words, and asks for their copy into `buffer`.
    func send(
        _ count: Int, to buffer: Buffer<Int32>, _ write: (PinnedBuffer<Int32>) -> Void
    ) throws(CUDAError) {
        if slots.count < Self.slotCount {
            slots.append(
                Slot(
                    words: try PinnedBuffer(count: count, on: stream.device),
                    copied: try Event(stream.device)))
            next = slots.count - 1
        } else {
            try slots[next].copied.synchronize()
        }
        if slots[next].words.count < count {
            slots[next].words = try PinnedBuffer(count: count, on: stream.device)
        }
        let slot = slots[next]
        write(slot.words)
        try stream.copy(slot.words, count: count, to: buffer)
        try stream.record(slot.copied)
        next = (next + 1) % Self.slotCount
    }
}
