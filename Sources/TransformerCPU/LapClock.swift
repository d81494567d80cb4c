/// Attributes the time between one call of ``lap(_:workers:)`` and the next to a part of the work.
final class LapClock<Part: Hashable> {
    /// Seconds in each part.
    private(set) var seconds: [Part: Double] = [:]
    private var last = ContinuousClock.now

    /// Starts counting: what was before belongs to nothing.
    func start() {
        last = .now
    }

    /// The time since the last call went into `part`, with `workers` workers at it.
    func lap(_ part: Part, workers: Int = 1) {
        let now = ContinuousClock.now
        seconds[part, default: 0] += Double(workers) * ((now - last) / .seconds(1))
        last = now
    }
}
