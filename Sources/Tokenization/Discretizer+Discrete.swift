package import Trajectories

extension Discretizer {
    /// The same bins, but for columns of whole numbers, each of whose values gets a bin of its own:
    /// value `start + k` becomes token `k` and comes back as it was.
    ///
    /// Bins beyond the last value stay empty, so that every column has as many.
    ///
    /// - Throws: ``DiscretizerError`` when a column has more values than there are bins.
    func with(_ discrete: [DiscreteColumn]) throws(DiscretizerError) -> Discretizer {
        guard !discrete.isEmpty else { return self }
        var edges = edges
        for column in discrete {
            let bins = valueBins(ofDimension: column.column)
            guard column.column < dimension, column.count <= bins else {
                throw DiscretizerError(
                    code: .malformed, dimension: column.column,
                    detail: "it holds \(column.count) discrete values, which \(bins) bins "
                        + "cannot tell apart; ask for at least \(column.count) bins")
            }
            for edge in 0...binCount {
                edges[edge * dimension + column.column] =
                    Double(column.start + min(edge, bins)) - 0.5
            }
        }
        return Discretizer(
            strategy: strategy, edges: edges, dimension: dimension, binCount: binCount,
            hiddenColumns: hiddenColumns)
    }
}

extension TokenizedDataset.Settings {
    /// What is wrong with ``discrete`` for transitions of `layout`, or nil.
    package func discreteProblem(layout: TransitionLayout) -> String? {
        for column in discrete ?? [] {
            if let problem = column.problem(in: layout) { return "discrete: \(problem)" }
        }
        let columns = (discrete ?? []).map(\.column)
        return Set(columns).count < columns.count ? "discrete names a column twice" : nil
    }

    /// Refuses an episode whose discrete columns hold anything but their values.
    func requireDiscrete(_ episode: Trajectory) throws(DiscretizerError) {
        let layout = episode.layout
        for column in discrete ?? [] where column.column < layout.rewardIndex {
            let isAction = column.column >= layout.observationDimension
            let width = isAction ? layout.actionDimension : layout.observationDimension
            let values = isAction ? episode.actions : episode.observations
            let first = column.column - (isAction ? layout.observationDimension : 0)
            for place in stride(from: first, to: values.count, by: width)
            where !column.contains(Double(values[place])) {
                throw DiscretizerError(
                    code: .malformed, dimension: column.column,
                    detail: "step \(place / width) of an episode has \(values[place]), where a "
                        + "whole number from \(column.start) to "
                        + "\(column.start + column.count - 1) is expected; the data are not of "
                        + "the space that they name")
            }
        }
    }
}
