import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The smallest held-out loss of a run so far, and how often in a row there was none smaller.
struct BestMeasurement {
    private(set) var loss = Double.infinity
    private(set) var misses = 0

    /// As the run in `directory` had it after `step` steps, by its log and its best checkpoint.
    init(in directory: URL, upTo step: Int) {
        for report in (try? MetricsLog.read(directory: directory)) ?? [] where report.step <= step {
            if let loss = report.heldOutLoss { add(loss) }
        }
        let best = Checkpoint.bestFolder(in: directory)
        if let kept = try? Checkpoint.description(in: best), kept.step <= step,
            let loss = kept.heldOutLoss, loss < self.loss
        {
            // The log was lost, or rounds it.
            self.loss = loss
        }
    }

    /// Takes in a measurement; returns whether it is the smallest so far.
    @discardableResult
    mutating func add(_ loss: Double) -> Bool {
        guard loss < self.loss else {
            misses += 1
            return false
        }
        (self.loss, misses) = (loss, 0)
        return true
    }
}
