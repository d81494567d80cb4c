extension ClosedRange<Double> {
    /// The nearest number inside.
    package func clamp(_ number: Double) -> Double {
        Swift.min(Swift.max(number, lowerBound), upperBound)
    }
}

extension [ClosedRange<Double>] {
    /// The action with each number moved to the nearest inside its dimension's limits.
    package func clamp(_ action: [Double]) -> [Double] { zip(self, action).map { $0.clamp($1) } }
}
