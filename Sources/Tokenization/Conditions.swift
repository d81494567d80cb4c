package import Trajectories

/// What holds for a whole episode, such as the map that it is on or how large its return is, and how
/// that becomes tokens.
///
/// These numbers are no part of the transitions: their tokens stand once, in front of every
/// sequence, before the goal's where there is one.
public struct Conditions: Sendable, Equatable {
    /// Columns of what is observed, in the order of their tokens.
    public let columns: [Int]
    /// Their bins, a dimension for each; nil without columns.
    public let discretizer: Discretizer?
    /// What is said of the episode's return, behind the columns; nil where nothing is.
    public package(set) var returns: ReturnLevels?

    /// Number of tokens.
    public var count: Int { columns.count + (returns == nil ? 0 : 1) }

    /// Conditions in `columns`, with bins for each of them, and `returns`.
    public init(columns: [Int], discretizer: Discretizer, returns: ReturnLevels? = nil) {
        precondition(
            !columns.isEmpty && discretizer.dimension == columns.count,
            "bins of \(discretizer.dimension) dimensions for the columns \(columns)")
        self.columns = columns
        self.discretizer = discretizer
        self.returns = returns
    }

    /// Nothing of what is observed, and `returns`.
    public init(returns: ReturnLevels) {
        columns = []
        discretizer = nil
        self.returns = returns
    }

    /// Conditions in `columns` with bins that are fitted to what the columns hold in the episodes,
    /// and the tokens of each of the episodes that have a row.
    ///
    /// Bins of equal width keep whole numbers apart, however rare, where there are not more of them
    /// than bins.
    ///
    /// - Throws: ``DiscretizerError`` when a column changes within an episode, or holds what is no
    ///   finite number.
    static func fitted(
        _ columns: [Int], to trajectories: [Trajectory], binCount: Int
    ) throws(DiscretizerError) -> (conditions: Conditions, tokens: [[Int]]) {
        let rows = try Self.rows(of: trajectories, columns)
        let discretizer = try Discretizer(
            uniformOver: rows.flatMap(\.self), dimension: columns.count, binCount: binCount)
        let tokens = rows.map { row in
            row.enumerated().map { discretizer.token(for: $1, dimension: $0) }
        }
        return (Conditions(columns: columns, discretizer: discretizer), tokens)
    }

    /// What the columns hold in each of the episodes that have a row.
    private static func rows(
        of trajectories: [Trajectory], _ columns: [Int]
    ) throws(DiscretizerError) -> [[Double]] {
        var rows: [[Double]] = []
        for (episode, trajectory) in trajectories.enumerated() where trajectory.count > 0 {
            if let change = trajectory.firstChange(inColumns: columns) {
                throw DiscretizerError(
                    code: .malformed, dimension: change.column,
                    detail:
                        "it changes in row \(change.row) of episode \(episode), both from 0, and "
                        + "cannot hold for the whole episode; leave it out of the condition columns"
                )
            }
            let row = columns.map { Double(trajectory.observations[$0]) }
            if let index = row.firstIndex(where: { !$0.isFinite }) {
                throw DiscretizerError(
                    code: .notFinite, dimension: columns[index],
                    detail: "episode \(episode), from 0, has \(row[index]); remove it from the data"
                )
            }
            rows.append(row)
        }
        return rows
    }

    /// The conditions' tokens of an observation, and of the return that is asked for.
    package func tokens(of observation: [Double]) -> [Int] {
        let held = columns.enumerated().compactMap { index, column in
            discretizer?.token(for: observation[column], dimension: index)
        }
        return held + [returns?.askedToken].compactMap(\.self)
    }

    /// What an observation holds beside its conditions, which is what a model predicts.
    package func rest(of observation: [Double]) -> [Double] {
        observation.enumerated().filter { !columns.contains($0.offset) }.map(\.element)
    }

    /// The column that `column` of an observation is among those that are no conditions.
    package func restColumn(_ column: Int) -> Int {
        column - columns.filter { $0 < column }.count
    }

    /// The whole observation of which the model predicted the `rest`, under the conditions of
    /// another of the same episode.
    package func completed(_ rest: [Double], as observation: [Double]) -> [Double] {
        var next = rest.makeIterator()
        return observation.enumerated().map { index, number in
            columns.contains(index) ? number : next.next() ?? number
        }
    }
}

extension TokenizedDataset.Settings {
    /// Number of tokens in front of a sequence: of what holds for an episode, then of its goal.
    public var prefixCount: Int {
        (conditionColumns?.count ?? 0) + (returnLevels == nil ? 0 : 1) + (goalColumns?.count ?? 0)
    }

    /// What is wrong with ``conditionColumns`` for observations of `layout`, or nil.
    package func conditionProblem(layout: TransitionLayout) -> String? {
        conditionColumns.flatMap {
            layout.problem(ofConditionColumns: $0, goalColumns: goalColumns ?? [])
        }
    }

    /// The layout of the data of which a model with these settings predicts transitions of `layout`.
    package func dataLayout(ofModel layout: TransitionLayout) -> TransitionLayout {
        layout.withObservationColumns(conditionColumns?.count ?? 0)
    }

    /// Refuses to take conditions out of a token file, whose tokens are whole transitions.
    func requireNoConditions() throws(DiscretizerError) {
        guard conditionColumns == nil else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail: "token files hold whole transitions, of which no conditions are taken out; "
                    + "take them out of the dataset itself")
        }
    }
}
