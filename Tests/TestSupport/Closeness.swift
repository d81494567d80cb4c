/// The largest absolute difference of two sequences over the largest magnitude of `expected`.
///
/// This is the measure in which the golden data state their tolerance: a correct single-precision
/// implementation stays near 1e-6, and 2e-5 is the bound unless a test says otherwise. Infinite
/// where the lengths differ or one side is NaN and the other is not; equal infinities agree.
public func relativeError<Number: BinaryFloatingPoint>(_ actual: [Number], _ expected: [Number])
    -> Double
{
    let scale = expected.lazy.filter(\.isFinite).map { Double($0.magnitude) }.max() ?? 1
    return absoluteError(actual, expected) / max(scale, .leastNormalMagnitude)
}

/// The largest absolute difference of two sequences; infinite where they cannot be compared.
public func absoluteError<Number: BinaryFloatingPoint>(_ actual: [Number], _ expected: [Number])
    -> Double
{
    guard actual.count == expected.count else { return .infinity }
    return zip(actual, expected).lazy.map { a, b in
        if a == b || (a.isNaN && b.isNaN) { return 0 }
        let difference = Double((a - b).magnitude)
        return difference.isNaN ? .infinity : difference
    }.max() ?? 0
}

/// The bound on ``relativeError(_:_:)`` for single-precision results against the golden data.
public let goldenTolerance = 2e-5
