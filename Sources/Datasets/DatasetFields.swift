import HDF5
import Trajectories

/// The arrays of a file, checked.
struct DatasetFields {
    let layout: TransitionLayout
    let observations: [Float]
    let actions: [Float]
    let rewards: [Float]
    let terminals: [Bool]
    let timeouts: [Bool]?
    let attributes: [String: String]

    init(_ file: HDF5File, allowsNonFinite: Bool) throws {
        func matrix(_ field: String) throws -> (values: [Float], rows: Int, columns: Int) {
            let dataset = try file.root.dataset(field)
            guard dataset.shape.count == 2, dataset.shape[1] > 0 else {
                throw DatasetError(
                    .shapeMismatch, file: file.path, field: field,
                    "expected the shape [N, columns], found \(dataset.shape)")
            }
            return (
                try numbers(dataset, field, width: dataset.shape[1]), dataset.shape[0],
                dataset.shape[1]
            )
        }
        func numbers(_ dataset: HDF5Dataset, _ field: String, width: Int) throws -> [Float] {
            let values = try dataset.floats()
            if !allowsNonFinite, let index = values.firstIndex(where: { !$0.isFinite }) {
                throw DatasetError(
                    .notFinite, file: file.path, field: field,
                    "row \(index / width), column \(index % width) is \(values[index]) in single "
                        + "precision; remove the episodes concerned from the file")
            }
            return values
        }
        func column(_ field: String, rows: Int) throws -> HDF5Dataset {
            let dataset = try file.root.dataset(field)
            guard dataset.shape == [rows] || dataset.shape == [rows, 1] else {
                throw DatasetError(
                    .shapeMismatch, file: file.path, field: field,
                    "expected the shape [\(rows)] that fits 'observations', found "
                        + "\(dataset.shape)")
            }
            return dataset
        }
        func flags(_ field: String, rows: Int) throws -> [Bool] {
            let dataset = try column(field, rows: rows)
            if case .boolean = dataset.elementType { return try dataset.booleans() }
            let values = try dataset.floats()
            if let index = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
                throw DatasetError(
                    .wrongType, file: file.path, field: field,
                    "expected truth values or 0 and 1, found \(values[index]) in row \(index)")
            }
            return values.map { $0 != 0 }
        }

        let (observations, rows, observationDimension) = try matrix("observations")
        let (actions, actionRows, actionDimension) = try matrix("actions")
        guard actionRows == rows else {
            throw DatasetError(
                .shapeMismatch, file: file.path, field: "actions",
                "expected \(rows) rows as 'observations' has, found \(actionRows)")
        }
        layout = TransitionLayout(
            observationDimension: observationDimension, actionDimension: actionDimension)
        self.observations = observations
        self.actions = actions
        rewards = try numbers(column("rewards", rows: rows), "rewards", width: 1)
        terminals = try flags("terminals", rows: rows)
        timeouts = file.root.contains("timeouts") ? try flags("timeouts", rows: rows) : nil
        // Nothing depends on them, so what cannot be read is not there.
        attributes = (try? file.root.stringAttributes()) ?? [:]
    }

    /// The first `rows` rows, cut into episodes.
    func episodes(rows: Int, maxLength: Int?) -> [Trajectory] {
        var episodes: [Trajectory] = []
        var start = 0
        let (observationWidth, actionWidth) = (layout.observationDimension, layout.actionDimension)
        for row in 0..<rows {
            let timeout = timeouts?[row] ?? (row - start + 1 == maxLength)
            let ends = terminals[row] || timeout
            guard ends || row == rows - 1 else { continue }
            let range = start..<(row + 1)
            func slice(_ values: [Float], _ width: Int) -> [Float] {
                Array(values[(range.lowerBound * width)..<(range.upperBound * width)])
            }
            episodes.append(
                Trajectory(
                    layout: layout, observations: slice(observations, observationWidth),
                    actions: slice(actions, actionWidth), rewards: slice(rewards, 1),
                    ending: terminals[row] ? .terminal : timeout ? .timeout : .unfinished))
            start = row + 1
        }
        return episodes
    }
}
