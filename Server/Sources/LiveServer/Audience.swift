import Synchronization

/// The pages that look, each by how it is told.
final class Audience: Sendable {
    private let ears = Mutex<[ObjectIdentifier: @Sendable (String) -> Void]>([:])

    func add(_ page: ObjectIdentifier, tell: @escaping @Sendable (String) -> Void) {
        ears.withLock { $0[page] = tell }
    }

    func remove(_ page: ObjectIdentifier) {
        ears.withLock { $0[page] = nil }
    }

    /// Tells all.
    func tell(_ text: String) {
        for ear in ears.withLock({ Array($0.values) }) { ear(text) }
    }
}
