package import NIOCore
import Synchronization

/// The connections there are, so that they can be counted and told that the server ends.
package final class Connections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isEnding = false
        var whenGone: CheckedContinuation<Void, Never>?
    }

    /// Whether a new connection is served.
    package enum Admission {
        case served
        /// One too many: it is told so.
        case surplus
        /// Far too many: it is closed without a word.
        case dropped
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) {
        self.limit = limit
    }

    package var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Counts a connection until it closes.
    package func admit(_ channel: any Channel) -> Admission {
        let admission = state.withLock { state -> Admission in
            guard state.channels.count < 2 * limit, !state.isEnding else { return .dropped }
            state.channels[ObjectIdentifier(channel)] = channel
            return state.channels.count <= limit ? .served : .surplus
        }
        if case .dropped = admission { return .dropped }
        channel.closeFuture.whenComplete { _ in self.remove(channel) }
        return admission
    }

    private func remove(_ channel: any Channel) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.channels[ObjectIdentifier(channel)] = nil
            guard state.channels.isEmpty, state.isEnding else { return nil }
            defer { state.whenGone = nil }
            return state.whenGone
        }
        waiter?.resume()
    }

    /// Tells every connection that the server ends.
    package func end() {
        let (channels, waiter) = state.withLock { state in
            state.isEnding = true
            let waiter = state.channels.isEmpty ? state.whenGone : nil
            if waiter != nil { state.whenGone = nil }
            return (Array(state.channels.values), waiter)
        }
        waiter?.resume()
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ServerEnding()) }
    }

    /// Returns when all have gone and ``end()`` was called.
    package func allGone() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard !state.channels.isEmpty || !state.isEnding else { return true }
                state.whenGone = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

/// Tells a connection to close when it has answered.
package struct ServerEnding: Sendable {}
