import Serving
import Testing

/// When a search waits for those who were answered last: all times are given, none is measured.
@Suite struct GatheringTests {
    private let begin = ContinuousClock.now
    private var gathering = Gathering()

    private func after(_ milliseconds: Double) -> ContinuousClock.Instant {
        begin + .seconds(milliseconds / 1000)
    }

    /// A search of 20 ms ends; its window is 2 ms.
    private mutating func search(
        endsAt milliseconds: Double, of situations: Int, waiting: Int = 0, limit: Int = 64
    ) {
        gathering.searchEnded(
            at: after(milliseconds), after: .milliseconds(20), of: situations, waiting: waiting,
            limit: limit)
    }

    @Test mutating func `before the first search nobody is waited for`() {
        #expect(gathering.patience(at: begin) == nil)
        gathering.arrived(1, at: begin)
        #expect(gathering.patience(at: begin) == nil)
    }

    @Test
    mutating func `who comes back first waits for the others, and no longer than for the last`() {
        search(endsAt: 0, of: 8)
        gathering.arrived(1, at: after(0.3))
        #expect(gathering.patience(at: after(0.3)) == after(2))
        gathering.arrived(6, at: after(0.5))
        #expect(!gathering.isComplete)
        gathering.arrived(1, at: after(0.6))
        #expect(gathering.isComplete)
        #expect(gathering.patience(at: after(0.6)) == nil)
    }

    @Test mutating func `who is alone never waits`() {
        for round in 0..<10 {
            search(endsAt: 20 * Double(round), of: 1)
            gathering.arrived(1, at: after(20 * Double(round) + 0.1))
            #expect(gathering.patience(at: after(20 * Double(round) + 0.1)) == nil)
        }
    }

    @Test mutating func `the wait is a tenth of the search, and four milliseconds at most`() {
        search(endsAt: 0, of: 2)
        gathering.arrived(1, at: after(1))
        #expect(gathering.patience(at: after(1.9)) == after(2))
        #expect(gathering.patience(at: after(2)) == nil)
        gathering.arrived(1, at: after(2))
        gathering.searchEnded(
            at: after(0), after: .seconds(1), of: 2, waiting: 0, limit: 64)
        #expect(gathering.patience(at: after(0)) == after(4))
    }

    @Test mutating func `those who arrived during the search are there already`() {
        search(endsAt: 0, of: 5, waiting: 3)
        #expect(gathering.patience(at: after(0)) == after(2))
        gathering.arrived(5, at: after(1))
        #expect(gathering.isComplete)
    }

    @Test mutating func `no more are waited for than may be planned for together`() {
        search(endsAt: 0, of: 4, waiting: 2, limit: 4)
        gathering.arrived(2, at: after(0.1))
        #expect(gathering.isComplete)
    }

    @Test mutating func `who never comes in time is not waited for until that changes`() {
        for round in 0..<8 {
            search(endsAt: 20 * Double(round), of: 2)
            gathering.arrived(1, at: after(20 * Double(round) + 0.1))
            gathering.arrived(1, at: after(20 * Double(round) + 5))
        }
        search(endsAt: 160, of: 2)
        gathering.arrived(1, at: after(160.1))
        #expect(gathering.patience(at: after(160.1)) == nil)
        // They come at once now, which is seen without waiting.
        gathering.arrived(1, at: after(160.2))
        for round in 1..<5 {
            search(endsAt: 160 + 20 * Double(round), of: 2)
            gathering.arrived(2, at: after(160.2 + 20 * Double(round)))
        }
        search(endsAt: 260, of: 2)
        #expect(gathering.patience(at: after(260)) == after(262))
    }

    @Test mutating func `who is away for a whole search was late`() {
        for round in 0..<2 { search(endsAt: 20 * Double(round), of: 3, waiting: 1) }
        search(endsAt: 60, of: 3)
        #expect(gathering.patience(at: after(60)) == nil)
    }
}
