extension FittedQEvaluation {
    /// The settings.
    public struct Settings: Sendable, Hashable {
        /// How the critic is trained; `steps` are those of one evaluation.
        public var learning = LearningSettings()
        /// Weight of a reward one step later.
        public var discount = 0.99
        /// How far the target network follows in a step.
        public var targetRate = 0.05
        /// Steps of the regression on logged returns, before the first evaluation.
        public var dataSteps = 5000
        /// Transitions that are learnt from, drawn from those that are there; whoever acts decides
        /// once on each.
        public var transitions = 100_000
        /// Share of the episodes that are held out; at least one.
        public var heldOutFraction = 0.1

        /// The defaults.
        public init() { learning.steps = 10_000 }

        func validate() throws(LearningError) {
            try learning.validate(discount: discount, targetRate: targetRate)
            guard 0 <= heldOutFraction, heldOutFraction <= 1 else {
                throw LearningError(
                    .invalidSetting, "held-out share \(heldOutFraction)", "give a number in [0, 1]")
            }
            let counts = [("steps on the data", dataSteps), ("transitions", transitions)]
            for (name, value) in counts where value < 1 {
                throw LearningError(.invalidSetting, "\(name) \(value)", "give a number above 0")
            }
        }
    }
}
