/// Maps each dimension of a transition to bins and back.
///
///     let discretizer = try Discretizer(quantilesOf: values, dimension: 7, binCount: 100)
///     let tokens = try discretizer.encode(row)
///     let centres = discretizer.decode(tokens)
///
/// Janner et al. 2021, section 3.1. Every dimension has its own `binCount` bins, bounded by
/// `binCount + 1` edges. A token is the number of a bin, `0..<binCount`; the token `binCount`
/// itself stands for the end of a trajectory in every dimension. Values outside the fitted range
/// fall into the first or last bin.
///
/// The two strategies differ in where the edges lie:
/// - **quantile**: with `n = ceil(rows / binCount)`, the sorted values at 0, `n`, `2n`, …, then the
///   maximum, so that bins hold about equally many values. A value belongs to the last bin whose
///   lower edge is not above it. Where that rule yields too few edges (it may with fewer than
///   `binCount²` rows; the authors' code then fails), the ranks `k * rows / binCount` are used.
/// - **uniform**: edges at equal distances between minimum and maximum.
public struct Discretizer: Sendable, Equatable {
    /// Where the edges of the bins come from.
    public enum Strategy: String, Sendable, Hashable, CaseIterable, Codable {
        /// Bins of about equally many values.
        case quantile
        /// Bins of equal width.
        case uniform
    }

    /// Where the edges came from, which also decides how a value finds its bin.
    public let strategy: Strategy
    /// Edges of the bins: (`binCount` + 1) × `dimension`, row-major.
    public let edges: [Double]
    /// Number of dimensions of a transition.
    public let dimension: Int
    /// Number of bins in each dimension.
    public let binCount: Int
    /// Columns whose last bin holds no values but stands for a number that is hidden; none where
    /// nothing is.
    public private(set) var hiddenColumns = 0..<0

    /// The same edges, `dimension` × (`binCount` + 1): a column's edges lie side by side.
    private let columns: [Double]
    /// What the bins are read as, their centres: `dimension` × `binCount`.
    private var centers: [Double]

    /// The token that ends a trajectory, the same in every dimension.
    public var terminationToken: Int { binCount }
    /// Tokens of a dimension: its bins and the termination token.
    public var vocabularySize: Int { binCount + 1 }
    /// The token of a number that is hidden, in one of ``hiddenColumns``; nil without such.
    public var hiddenToken: Int? { hiddenColumns.isEmpty ? nil : binCount - 1 }

    /// Fits quantile bins to `values`, rows × `dimension`, row-major.
    ///
    /// - Throws: ``DiscretizerError`` when there are fewer rows than bins or a value is not finite.
    public init(quantilesOf values: [Double], dimension: Int, binCount: Int)
        throws(DiscretizerError)
    {
        try self.init(fitting: .quantile, to: values, dimension: dimension, binCount: binCount)
    }

    /// Fits bins of equal width to `values`, rows × `dimension`, row-major.
    ///
    /// - Throws: ``DiscretizerError`` when there are no rows or a value is not finite.
    public init(uniformOver values: [Double], dimension: Int, binCount: Int)
        throws(DiscretizerError)
    {
        try self.init(fitting: .uniform, to: values, dimension: dimension, binCount: binCount)
    }

    /// Fits bins to `values`, rows × `dimension`, row-major.
    ///
    /// In columns of which numbers can be hidden all bins but the last hold the values.
    ///
    /// - Throws: ``DiscretizerError`` when there are too few rows or a value is not finite.
    public init(
        fitting strategy: Strategy, to values: [Double], dimension: Int, binCount: Int,
        hiddenColumns: Range<Int> = 0..<0
    ) throws(DiscretizerError) {
        precondition(
            dimension > 0 && binCount > 0 && values.count.isMultiple(of: dimension),
            "\(values.count) values are not rows of \(dimension), or \(binCount) bins are too few")
        let rows = values.count / dimension
        try Discretizer.requireRows(rows, strategy, binCount)
        var edges = Array(repeating: 0.0, count: (binCount + 1) * dimension)
        var column = Array(repeating: 0.0, count: rows)
        for index in 0..<dimension {
            for row in 0..<rows { column[row] = values[row * dimension + index] }
            if let row = column.firstIndex(where: { !$0.isFinite }) {
                throw DiscretizerError(
                    code: .notFinite, dimension: index,
                    detail: "row \(row) is \(column[row]); remove such rows from the data")
            }
            let bins = hiddenColumns.contains(index) ? binCount - 1 : binCount
            var fitted =
                strategy == .quantile
                ? Discretizer.quantiles(&column, bins) : Discretizer.uniform(column, bins)
            fitted += Array(repeating: fitted[bins], count: binCount - bins)
            for (edge, value) in fitted.enumerated() { edges[edge * dimension + index] = value }
        }
        self.init(
            strategy: strategy, edges: edges, dimension: dimension, binCount: binCount,
            hiddenColumns: hiddenColumns)
    }

    /// Restores a discretizer from edges that are known to be good.
    ///
    /// - Parameters:
    ///   - strategy: Where the edges came from.
    ///   - edges: Edges of the bins, (`binCount` + 1) × `dimension`, row-major, rising in each
    ///     column.
    ///   - dimension: Number of dimensions of a transition.
    ///   - binCount: Number of bins in each dimension.
    ///   - hiddenColumns: Columns whose last bin, of no width, stands for a hidden number.
    public init(
        strategy: Strategy, edges: [Double], dimension: Int, binCount: Int,
        hiddenColumns: Range<Int> = 0..<0
    ) {
        precondition(
            dimension > 0 && binCount > 0 && edges.count == (binCount + 1) * dimension,
            "\(edges.count) edges are not \(binCount + 1) × \(dimension)")
        precondition(
            hiddenColumns.isEmpty || (binCount > 1 && hiddenColumns.upperBound <= dimension),
            "hidden columns \(hiddenColumns) of \(dimension) with \(binCount) bins")
        self.hiddenColumns = hiddenColumns
        self.strategy = strategy
        self.edges = edges
        self.dimension = dimension
        self.binCount = binCount
        var columns: [Double] = []
        columns.reserveCapacity(edges.count)
        var centers: [Double] = []
        centers.reserveCapacity(dimension * binCount)
        for column in 0..<dimension {
            for edge in 0...binCount { columns.append(edges[edge * dimension + column]) }
            for bin in 0..<binCount {
                let lower = edges[bin * dimension + column]
                let upper = edges[(bin + 1) * dimension + column]
                centers.append((lower + upper) / 2)
            }
        }
        self.columns = columns
        self.centers = centers
    }

    /// Restores a discretizer from edges that come from outside, such as a checkpoint.
    ///
    /// - Parameters:
    ///   - strategy: Where the edges came from.
    ///   - edges: Edges of the bins, (`binCount` + 1) × `dimension`, row-major.
    ///   - dimension: Number of dimensions of a transition.
    ///   - binCount: Number of bins in each dimension.
    ///   - hiddenColumns: Columns whose last bin stands for a hidden number.
    /// - Throws: ``DiscretizerError`` when the number of edges is wrong, one is not finite, or they
    ///   fall somewhere.
    public init(
        strategy: Strategy, validating edges: [Double], dimension: Int, binCount: Int,
        hiddenColumns: Range<Int> = 0..<0
    ) throws(DiscretizerError) {
        guard dimension > 0, binCount > 0, edges.count == (binCount + 1) * dimension else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail: "\(edges.count) edges are not \(binCount) + 1 rows of \(dimension)")
        }
        for (index, value) in edges.enumerated() {
            guard value.isFinite, index < dimension || edges[index - dimension] <= value else {
                throw DiscretizerError(
                    code: .malformed, dimension: index % dimension,
                    detail: "edge \(index / dimension) is \(value), where rising finite numbers "
                        + "are expected; the file that holds them is damaged")
            }
        }
        self.init(
            strategy: strategy, edges: edges, dimension: dimension, binCount: binCount,
            hiddenColumns: hiddenColumns)
    }

    // MARK: - Values to tokens

    /// Number of bins that hold values in one dimension.
    public func valueBins(ofDimension index: Int) -> Int {
        hiddenColumns.contains(index) ? binCount - 1 : binCount
    }

    /// The token of a value in one dimension, `0..<binCount`; never that of a hidden one.
    ///
    /// NaN falls into bin 0: what comes from outside goes through ``encode(_:from:)``, which
    /// refuses it.
    public func token(for value: Double, dimension index: Int) -> Int {
        precondition(0 <= index && index < dimension, "dimension \(index) of \(dimension)")
        let first = index * (binCount + 1)
        switch strategy {
        case .quantile:
            // Counts the edges that are not above the value: with repeated edges the last one
            // counts. The answer stays within low..<low + width throughout.
            var low = first
            var width = binCount + 1
            while width > 1 {
                let half = width / 2
                low += columns[low + half] <= value ? half : 0
                width -= half
            }
            return min(low - first, valueBins(ofDimension: index) - 1)
        case .uniform:
            let minimum = columns[first]
            let extent = columns[first + binCount] - minimum
            guard extent > 0 else { return 0 }
            let bins = Double(valueBins(ofDimension: index))
            let position = ((value - minimum) / extent * bins).rounded(.down)
            // Clipped before the conversion, which traps on what an integer cannot hold.
            return position > 0 ? Int(min(position, bins - 1)) : 0
        }
    }

    /// The tokens of a row, or of the part of it that starts at column `first`: for numbers from
    /// outside, which are checked.
    ///
    /// - Throws: ``DiscretizerError`` when there are more numbers than columns, or one is not
    ///   finite.
    public func encode(
        _ row: some Collection<Double>, from first: Int = 0
    ) throws(DiscretizerError) -> [Int] {
        guard first >= 0, first + row.count <= dimension else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail:
                    "\(row.count) numbers from column \(first) on do not fit \(dimension) columns")
        }
        var tokens: [Int] = []
        tokens.reserveCapacity(row.count)
        for (index, value) in row.enumerated() {
            guard value.isFinite else {
                throw DiscretizerError(
                    code: .notFinite, dimension: first + index,
                    detail: "the value is \(value); give finite numbers")
            }
            tokens.append(token(for: value, dimension: first + index))
        }
        return tokens
    }

    // MARK: - Tokens to values

    /// The centre of a token's bin; tokens outside the bins, the termination token among them,
    /// count as the nearest bin.
    public func value(of token: Int, dimension index: Int) -> Double {
        precondition(0 <= index && index < dimension, "dimension \(index) of \(dimension)")
        return centers[index * binCount + max(0, min(token, binCount - 1))]
    }

    /// The values of a row of tokens, or of the part of it that starts at column `first`.
    public func decode(_ tokens: some Collection<Int>, from first: Int = 0) -> [Double] {
        tokens.enumerated().map { value(of: $1, dimension: first + $0) }
    }

    /// The same bins, of the rewards the lowest read without the termination penalty in it.
    ///
    /// A penalty far below all rewards lies in one quantile bin with the lowest hundredth of them.
    /// The bin's centre is then halfway to the penalty, such as -50 where the rewards in it are
    /// 0.9, and a planner counts half a fall wherever a reward is merely low, as at the start of
    /// every episode of a robot that hops or walks. Read as its upper edge the bin is right for
    /// the rewards in it; the falls are in the values, which the penalty lowers long before.
    ///
    /// - Parameters:
    ///   - penalty: What took the place of the last reward before a terminal state; nil for nothing.
    ///   - index: The rewards' dimension.
    /// - Returns: These bins themselves where nothing was penalized, bins are of equal width, or
    ///   the penalized rewards fill a bin by themselves.
    public func readingRewards(apartFrom penalty: Double?, dimension index: Int) -> Discretizer {
        let edges = columnEdges(index)
        let (lowest, upper) = (edges[edges.startIndex], edges[edges.startIndex + 1])
        guard strategy == .quantile, let penalty, lowest == penalty, upper > penalty else {
            return self
        }
        var result = self
        result.centers[index * binCount] = upper
        return result
    }

    // MARK: - The layout that the readouts work on

    /// Edges of one dimension, ascending; of the last bin, too, where it stands for hidden numbers.
    package func columnEdges(_ index: Int) -> ArraySlice<Double> {
        precondition(0 <= index && index < dimension, "dimension \(index) of \(dimension)")
        return columns[(index * (binCount + 1))..<((index + 1) * (binCount + 1))]
    }

    /// Centres of one dimension's bins, ascending.
    func columnCenters(_ index: Int) -> ArraySlice<Double> {
        precondition(0 <= index && index < dimension, "dimension \(index) of \(dimension)")
        return centers[(index * binCount)..<((index + 1) * binCount)]
    }

    // MARK: - Fitting one column

    /// Refuses to fit bins to too few rows.
    static func requireRows(_ rows: Int, _ strategy: Strategy, _ binCount: Int)
        throws(DiscretizerError)
    {
        let needed = strategy == .quantile ? binCount : 1
        guard rows >= needed else {
            throw DiscretizerError(
                code: .tooFewRows, dimension: nil,
                detail: "\(rows) rows do not fill \(binCount) \(strategy.rawValue) bins; give at "
                    + "least \(needed) rows (better \(binCount * binCount)) or ask for fewer bins")
        }
    }

    /// The ranks in sorted order at which the edges of quantile bins lie, ascending.
    static func quantileRanks(rows: Int, binCount: Int) -> [Int] {
        let stride = (rows + binCount - 1) / binCount
        let ruleHolds = (binCount - 1) * stride < rows
        return (0..<binCount).map { ruleHolds ? $0 * stride : $0 * rows / binCount } + [rows - 1]
    }

    /// The edges of bins of equal width.
    static func uniformEdges(_ minimum: Double, _ maximum: Double, _ binCount: Int) -> [Double] {
        let step = (maximum - minimum) / Double(binCount)
        return (0..<binCount).map { Double($0) * step + minimum + 0 } + [maximum + 0]
    }

    private static func quantiles(_ column: inout [Double], _ binCount: Int) -> [Double] {
        column.sort()
        // -0 and 0 sort as equals in any order; as edges both are 0.
        return quantileRanks(rows: column.count, binCount: binCount).map { column[$0] + 0 }
    }

    private static func uniform(_ column: [Double], _ binCount: Int) -> [Double] {
        uniformEdges(column.min() ?? 0, column.max() ?? 0, binCount)
    }
}
