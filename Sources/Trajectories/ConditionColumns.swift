extension TransitionLayout {
    /// The layout of transitions whose observations lack some columns.
    package func withoutObservationColumns(_ columns: [Int]) -> TransitionLayout {
        TransitionLayout(
            observationDimension: observationDimension - columns.count,
            actionDimension: actionDimension)
    }

    /// The layout of transitions that these are of once so many observation columns were taken out.
    package func withObservationColumns(_ count: Int) -> TransitionLayout {
        TransitionLayout(
            observationDimension: observationDimension + count, actionDimension: actionDimension)
    }

    /// What is wrong with `columns` as those of the observation that hold for a whole episode, where
    /// `goalColumns` make up a goal; nil where nothing is.
    package func problem(ofConditionColumns columns: [Int], goalColumns: [Int]) -> String? {
        if Set(columns).count < columns.count {
            return "conditionColumns names a column twice; name each once"
        }
        if let column = columns.first(where: { !observationRange.contains($0) }) {
            return "conditionColumns names column \(column); observations have the columns 0 to "
                + "\(observationDimension - 1)"
        }
        if let column = columns.first(where: goalColumns.contains) {
            return "column \(column) is named by both conditionColumns and goalColumns; what holds "
                + "for a whole episode is no goal"
        }
        return columns.count < observationDimension
            ? nil
            : "conditionColumns names all columns of the observation; leave one that an episode "
                + "changes"
    }
}

extension Trajectory {
    /// The same episode without some columns of its observations.
    package func withoutObservationColumns(_ columns: [Int]) -> Trajectory {
        let left = layout.observationRange.filter { !columns.contains($0) }
        func rest(_ row: ArraySlice<Float>) -> [Float] { left.map { row[row.startIndex + $0] } }
        var other = Trajectory(
            layout: layout.withoutObservationColumns(columns),
            observations: (0..<count).flatMap { rest(observation($0)) }, actions: actions,
            rewards: rewards, ending: ending)
        other.infos = infos
        other.finalObservation = finalObservation.map { rest($0[...]) }
        return other
    }

    /// The first of `columns` of the observation, and row, that does not hold what it did in the
    /// first row; nil where all do.
    package func firstChange(inColumns columns: [Int]) -> (column: Int, row: Int)? {
        guard count > 0 else { return nil }
        let width = layout.observationDimension
        for row in 1..<count {
            for column in columns
            where observations[row * width + column] != observations[column] {
                return (column, row)
            }
        }
        return nil
    }
}
