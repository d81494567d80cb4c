/// Whether a search should wait a moment for those who were answered by the last one.
///
/// Clients in closed loop come back just after an answer, one by one, and a search that began with
/// the first would leave the others to the next. How long they take to come back is observed after
/// every search, whether it was waited for them or not. They are waited for while at least half of
/// the last times all came within a tenth of what the search had taken, four milliseconds at most:
/// so much is lost at most, and only as long as it mostly pays. Who is alone is never waited for.
package struct Gathering {
    /// A moment.
    package typealias Instant = ContinuousClock.Instant

    /// The longest wait.
    private static let mostPatience = Duration.milliseconds(4)
    /// Searches whose outcome counts.
    private static let memory = 8

    /// Situations of the last search, and those that waited at its end.
    private var expected = 0
    /// Of them, those that are here.
    private var present = 0
    /// Until when they are in time.
    private var end: Instant?
    /// Whether all were in time after each of the last searches, the latest last.
    private var outcomes: [Bool] = []

    /// Nothing is known yet.
    package init() {}

    /// A search has ended.
    ///
    /// - Parameters:
    ///   - instant: When it ended.
    ///   - duration: What it took.
    ///   - situations: Those that it planned for.
    ///   - waiting: Those that arrived meanwhile.
    ///   - limit: How many may be planned for together.
    package mutating func searchEnded(
        at instant: Instant, after duration: Duration, of situations: Int, waiting: Int, limit: Int
    ) {
        // Some of the last time have not come back during a whole search.
        if present < expected { record(false) }
        expected = min(situations + waiting, limit)
        present = waiting
        end = instant + min(Self.mostPatience, duration / 10)
    }

    /// Situations have arrived.
    package mutating func arrived(_ count: Int, at instant: Instant) {
        guard present < expected, let end else { return }
        present += count
        if present >= expected { record(instant <= end) }
    }

    /// Until when to wait with the next search; nil where it should begin.
    package func patience(at instant: Instant) -> Instant? {
        guard let end, present < expected, instant < end,
            2 * outcomes.count(where: { $0 }) >= outcomes.count
        else { return nil }
        return end
    }

    /// Whether nobody is missing.
    package var isComplete: Bool { present >= expected }

    private mutating func record(_ isInTime: Bool) {
        outcomes.append(isInTime)
        if outcomes.count > Self.memory { outcomes.removeFirst() }
    }
}
