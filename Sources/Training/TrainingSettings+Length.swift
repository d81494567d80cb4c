import Bounds

extension TrainingSettings {
    /// Gives a run the length and the schedule of a recipe that has some, for so many windows of
    /// `length` tokens.
    ///
    /// As the authors' `scripts/train.py`: as many epochs as see a million windows 50 times (80), in
    /// the code warm-up in the first of them and the cosine's end after 20, beyond which the rate
    /// rises and falls again; in the paper 2,000 updates of warm-up. Other recipes change nothing.
    ///
    /// - Returns: What was chosen, for people; nil where nothing was.
    package mutating func takeLength(of recipe: Recipe, windows: Int, length: Int) -> String? {
        guard let epochs = recipe.epochs, windows > 0 else { return nil }
        let passes = max(1, Int(1e6 / Double(windows) * epochs))
        let batches = (windows + training.batchSize - 1) / training.batchSize
        training.steps = min(Int.saturating(passes, times: batches), Bound.steps.range.upperBound)
        if recipe == .paper {
            training.warmupFraction = min(1, 2000 / Double(training.steps))
        } else {
            training.warmupFraction = 1.0 / 20
            training.finalTokens = Int.saturating(20 * windows, times: length)
            training.scheduleEnding = .authors
        }
        return
            "\(training.steps) steps of \(training.batchSize) windows, \(passes) passes over the "
            + "data, as in \(recipe.rawValue)"
    }
}
