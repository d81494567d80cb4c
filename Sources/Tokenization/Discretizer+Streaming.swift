import Trajectories

/// How far work that reads a dataset several times has come.
public struct StreamingProgress: Sendable, Equatable {
    /// The pass, from 1 on.
    public let pass: Int
    /// Number of passes.
    public let passCount: Int
    /// Transitions that were read in this pass.
    public let rows: Int
    /// Transitions of the dataset.
    public let rowCount: Int
}

extension Discretizer {
    /// Bytes of the counts that fitting keeps, about.
    private static let countBytes = 64 << 20

    /// Passes over the data that fitting needs: of all columns, and of the rewards alone.
    static func passes(_ settings: TokenizedDataset.Settings, _ layout: TransitionLayout)
        -> (all: Int, rewards: Int)
    {
        guard settings.strategy == .quantile else { return (1, 0) }
        let bits = digitBits(settings, layout)
        let all = (32 + bits - 1) / bits
        return (all, (64 + bits - 1) / bits - all)
    }

    private static func digitBits(
        _ settings: TokenizedDataset.Settings, _ layout: TransitionLayout
    ) -> Int {
        RankSelection.digitBits(
            columns: layout.transitionDimension, rankCount: settings.binCount + 1, bytes: countBytes
        )
    }

    /// Fits bins to a dataset that is read several times rather than held in memory.
    ///
    /// The edges equal those of the fit in memory, bit for bit. Memory is about 64 MB, more only
    /// where bins × dimensions exceed 150,000.
    ///
    /// - Parameters:
    ///   - stream: The episodes.
    ///   - settings: How they become tokens.
    ///   - report: Called after each episode with the pass and the rows so far.
    /// - Throws: ``DiscretizerError`` when there are fewer rows than bins or a number is not
    ///   finite; what reading throws.
    init(
        fitting stream: some EpisodeStream, settings: TokenizedDataset.Settings,
        report: (_ pass: Int, _ rows: Int) throws -> Void
    ) throws {
        let layout = stream.layout
        let rows = stream.rowCount
        try Discretizer.requireRows(rows, settings.strategy, settings.binCount)
        var fit = ColumnFits(
            layout, settings, rowCount: rows, digitBits: Discretizer.digitBits(settings, layout))
        let (all, rewards) = Discretizer.passes(settings, layout)
        for pass in 1...(all + rewards) {
            var row = 0
            if pass <= all {
                try stream.forEachEpisode {
                    try fit.add($0, row: row)
                    row += $0.count
                    try report(pass, row)
                }
            } else {
                try stream.forEachEpisodeRewards {
                    fit.addRewards($0, $1)
                    row += $0.count
                    try report(pass, row)
                }
            }
            try Discretizer.requireUnchanged(row, rows)
            fit.finishPass()
        }
        self.init(
            strategy: settings.strategy, edges: fit.edges, dimension: layout.transitionDimension,
            binCount: settings.binCount)
    }

    /// Refuses a dataset from which another number of rows came than it has.
    static func requireUnchanged(_ rows: Int, _ expected: Int) throws(DiscretizerError) {
        guard rows == expected else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail:
                    "the data have \(expected) rows but \(rows) were read; leave the file alone "
                    + "while it is read")
        }
    }
}

/// The fits of all columns at once.
private struct ColumnFits {
    private enum Fit {
        case quantile(RankSelection)
        case uniform(minimum: Double, maximum: Double)
    }

    private let layout: TransitionLayout
    private let settings: TokenizedDataset.Settings
    private var fits: [Fit]

    init(
        _ layout: TransitionLayout, _ settings: TokenizedDataset.Settings, rowCount: Int,
        digitBits: Int
    ) {
        self.layout = layout
        self.settings = settings
        let ranks = Discretizer.quantileRanks(rows: rowCount, binCount: settings.binCount)
        fits = (0..<layout.transitionDimension).map { column in
            settings.strategy == .quantile
                ? .quantile(
                    RankSelection(
                        ranks: ranks, isSinglePrecision: column < layout.rewardIndex,
                        digitBits: digitBits))
                : .uniform(minimum: .infinity, maximum: -.infinity)
        }
    }

    mutating func add(_ episode: Trajectory, row: Int) throws(DiscretizerError) {
        try add(episode.observations, layout.observationRange, row)
        try add(episode.actions, layout.actionRange, row)
        if let index = episode.rewards.firstIndex(where: { !$0.isFinite }) {
            throw notFinite(layout.rewardIndex, row + index, episode.rewards[index])
        }
        addRewards(episode.rewards, episode.ending)
    }

    mutating func addRewards(_ rewards: [Float], _ ending: Trajectory.Ending) {
        let (rewards, values) = TransitionRows.rewardsAndValues(
            rewards, ending, discount: settings.discount,
            terminationPenalty: settings.terminationPenalty.value)
        add(rewards, layout.rewardIndex)
        add(values, layout.valueIndex)
    }

    private func notFinite(_ column: Int, _ row: Int, _ value: Float) -> DiscretizerError {
        DiscretizerError(
            code: .notFinite, dimension: column,
            detail: "row \(row) is \(value); remove such rows from the data")
    }

    private mutating func add(_ values: [Float], _ range: Range<Int>, _ row: Int)
        throws(DiscretizerError)
    {
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw notFinite(
                range.lowerBound + index % range.count, row + index / range.count, values[index])
        }
        for column in range {
            let offset = column - range.lowerBound
            switch fits[column] {
            case .quantile(var selection):
                fits[column] = .uniform(minimum: 0, maximum: 0)  // so that nothing is copied
                selection.add(values, column: offset, width: range.count)
                fits[column] = .quantile(selection)
            case .uniform(var minimum, var maximum):
                for index in stride(from: offset, to: values.count, by: range.count) {
                    minimum = min(minimum, Double(values[index]))
                    maximum = max(maximum, Double(values[index]))
                }
                fits[column] = .uniform(minimum: minimum, maximum: maximum)
            }
        }
    }

    private mutating func add(_ values: [Double], _ column: Int) {
        switch fits[column] {
        case .quantile(var selection):
            fits[column] = .uniform(minimum: 0, maximum: 0)
            selection.add(values)
            fits[column] = .quantile(selection)
        case .uniform(let minimum, let maximum):
            fits[column] = .uniform(
                minimum: values.reduce(minimum, min), maximum: values.reduce(maximum, max))
        }
    }

    mutating func finishPass() {
        for column in fits.indices {
            guard case .quantile(var selection) = fits[column], !selection.isDone else { continue }
            selection.finishPass()
            fits[column] = .quantile(selection)
        }
    }

    /// The edges, (bins + 1) × columns.
    var edges: [Double] {
        let binCount = settings.binCount
        var result = [Double](repeating: 0, count: (binCount + 1) * fits.count)
        for (column, fit) in fits.enumerated() {
            let edges =
                switch fit {
                case .quantile(let selection): selection.values
                case .uniform(let minimum, let maximum):
                    Discretizer.uniformEdges(minimum, maximum, binCount)
                }
            for (edge, value) in edges.enumerated() { result[edge * fits.count + column] = value }
        }
        return result
    }
}
