import Synchronization

/// Says, from another thread, that a search or a run of training is to end.
final class Stop: Sendable {
    private let isSet = Atomic<Bool>(false)

    var isRequested: Bool { isSet.load(ordering: .relaxed) }

    func request() { isSet.store(true, ordering: .relaxed) }
}

/// Makes a stop, which can be requested once.
@c(trajectory_stop_new)
public func makeStop() -> Handle { handle(Stop()) }

/// Requests a stop; safe on any thread.
@c(trajectory_stop_request)
public func requestStop(_ stop: Handle) { object(stop, as: Stop.self).request() }
