/// Actions in units in which their limits are -1 and 1.
struct ActionUnits: Sendable {
    private let centers, scales: [Float]

    /// The units of these limits.
    init(_ limits: [ClosedRange<Double>]) {
        centers = limits.map { Float($0.lowerBound + $0.upperBound) / 2 }
        scales = limits.map { Float($0.upperBound - $0.lowerBound) / 2 }
    }

    /// Column `column` of an action in these units.
    func apply(_ number: Float, column: Int) -> Float {
        (number - centers[column]) / scales[column]
    }
}
