import Synchronization

/// Whether the client of a request has gone, told from the event loop to the planning thread.
final class Abandonment: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}
