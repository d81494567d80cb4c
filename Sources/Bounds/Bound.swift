/// Between which numbers a size or count may lie.
public struct Bound: Sendable, Hashable {
    /// The smallest and the largest.
    public let range: ClosedRange<Int>

    /// From `smallest` to `largest`.
    public init(_ smallest: Int, through largest: Int) {
        range = smallest...max(smallest, largest)
    }

    /// What is wrong with `value`, called `name`, in words; nil where it may be, or is not given.
    public func problem(_ name: String, _ value: Int?) -> String? {
        guard let value, !range.contains(value) else { return nil }
        guard value < range.lowerBound else {
            return "\(name) must be at most \(range.upperBound), found \(value)"
        }
        return range.lowerBound == 1
            ? "\(name) must be positive, found \(value)"
            : "\(name) must be at least \(range.lowerBound), found \(value)"
    }

    /// The same, where also 0 may be.
    public var orNone: Bound { Bound(0, through: range.upperBound) }
}

// MARK: - The table

extension Bound {
    /// Numbers of an observation or an action.
    public static let dimension = Bound(1, through: 1 << 20)
    /// Bins of a dimension; tokens are 16 bits, of which one means termination.
    public static let bins = Bound(1, through: Int(UInt16.max) - 1)
    /// Layers of a model or a network.
    public static let layers = Bound(1, through: 1024)
    /// Attention heads of a layer.
    public static let heads = Bound(1, through: 1024)
    /// Channels of a layer.
    public static let width = Bound(1, through: 1 << 16)
    /// Transitions in a window or a context.
    public static let transitions = Bound(1, through: 100_000)
    /// Transitions that are planned or predicted.
    public static let horizon = Bound(1, through: 10_000)
    /// Tokens that a model can see.
    public static let tokens = Bound(1, through: 1 << 24)
    /// Rows that are computed together.
    public static let batch = Bound(1, through: 1_000_000)
    /// Steps of training or simulation, transitions of a dataset, rows of a file.
    public static let steps = Bound(1, through: 1_000_000_000_000)
    /// Episodes, plans, samples, and whatever else is kept one by one.
    public static let episodes = Bound(1, through: 1_000_000)
    /// Sequences that a search keeps, continuations of each, and what it chooses from.
    public static let beam = Bound(1, through: 1_000_000)
    /// Threads.
    public static let workers = Bound(1, through: 1024)
    /// Environments, episodes or networks side by side.
    public static let together = Bound(1, through: 10_000)
    /// Pixels along a side of a picture.
    public static let pixels = Bound(16, through: 16_384)
    /// Training steps that a checkpoint may say it has, and tokens.
    public static let progress = Bound(0, through: 1 << 62)
}

// MARK: - Arithmetic

extension Int {
    /// The product, or the largest number where it is larger than that.
    public static func saturating(_ first: Int, times second: Int) -> Int {
        let (product, overflow) = first.multipliedReportingOverflow(by: second)
        return overflow ? ((first < 0) == (second < 0) ? .max : .min) : product
    }
}
