public import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How the values of one dimension spread over its bins.
public struct TokenUsage: Sendable, Equatable {
    /// Values in each bin.
    public let counts: [Int]
    /// Bins that no value can fall into, since their edges coincide: repeated quantiles.
    public let duplicateBins: Int

    /// Bins that hold a value.
    public var usedBins: Int { counts.count { $0 > 0 } }

    /// The share of all values that the fullest bin holds.
    public var largestShare: Double {
        Double(counts.max() ?? 0) / Double(max(1, counts.reduce(0, +)))
    }

    /// The exponential of the entropy: as many evenly used bins would tell as much.
    public var effectiveBins: Double {
        let total = Double(max(1, counts.reduce(0, +)))
        let entropy = counts.lazy.filter { $0 > 0 }.reduce(0.0) {
            let share = Double($1) / total
            return $0 - share * log(share)
        }
        return exp(entropy)
    }

    /// Counts the tokens of one column of a table.
    public init(of table: TransitionTable, column: Int, by discretizer: Discretizer) {
        let width = table.layout.transitionDimension
        precondition(
            discretizer.dimension == width && 0 <= column && column < width,
            "column \(column) of \(width) with a discretizer of \(discretizer.dimension)")
        var counts = Array(repeating: 0, count: discretizer.binCount)
        for index in stride(from: column, to: table.values.count, by: width) {
            counts[discretizer.token(for: table.values[index], dimension: column)] += 1
        }
        self.counts = counts
        // A value on repeated edges falls into the last of their bins, and the last bin of all is
        // closed above, so that it is never out of reach.
        let edges = Array(discretizer.columnEdges(column))
        duplicateBins = (0..<(discretizer.binCount - 1)).count { edges[$0] == edges[$0 + 1] }
    }

    /// The usage of each dimension of a transition (observation, action, reward, value) once a
    /// discretizer is fitted to the episodes as training does.
    ///
    /// - Throws: ``DiscretizerError`` when there are too few rows or a number is not finite.
    public static func measure(
        _ trajectories: [Trajectory], layout: TransitionLayout,
        settings: TokenizedDataset.Settings = .init()
    ) throws(DiscretizerError) -> [TokenUsage] {
        let settings = settings.decided(by: TerminalStates(of: trajectories))
        let table = TransitionTable(
            trajectories, layout: layout, discount: settings.discount,
            terminationPenalty: settings.terminationPenalty.value)
        let discretizer = try Discretizer(
            fitting: settings.strategy, to: table.values, dimension: layout.transitionDimension,
            binCount: settings.binCount)
        return (0..<layout.transitionDimension).map {
            TokenUsage(of: table, column: $0, by: discretizer)
        }
    }
}
