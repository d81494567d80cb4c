import Trajectories

/// An opened file of some format, whose episodes can be walked through again and again.
protocol EpisodeSource: Sendable {
    var layout: TransitionLayout { get }
    /// Number of transitions that a walk hands on.
    var rowCount: Int { get }
    /// Texts that the file carries about itself.
    var attributes: [String: String] { get }
    /// What reading decided by itself, a line each.
    var notes: [String] { get }

    /// Hands on the episodes one after the other; observations and actions stay empty where
    /// `rewardsOnly` is set, and are then not read.
    func walk(rewardsOnly: Bool, _ body: (EpisodeRows) throws -> Void) throws
}

/// Numbers and flags of a file, read in blocks of rows and checked.
struct CheckedReader: Sendable {
    let file: String
    let allowsNonFinite: Bool

    /// Rows of numbers, of which the first `kept` columns stay.
    ///
    /// - Parameters:
    ///   - dataset: Rows × columns, whatever the number of dimensions that make the columns.
    ///   - rows: Which rows.
    ///   - columns: Numbers in a row.
    ///   - kept: Numbers of a row to keep.
    /// - Returns: The numbers, rows × kept columns.
    /// - Throws: ``DatasetError`` when one is not finite, `HDF5Error` when they cannot be read.
    func numbers(_ dataset: any RowArray, rows: Range<Int>, columns: Int, kept: Int? = nil) throws
        -> [Float]
    {
        var values = try dataset.floats(rows: rows)
        let width = kept ?? columns
        if width < columns {
            for row in 0..<rows.count {
                for column in 0..<width {
                    values[row * width + column] = values[row * columns + column]
                }
            }
            values.removeLast(rows.count * (columns - width))
        }
        if !allowsNonFinite, let index = values.firstIndex(where: { !$0.isFinite }) {
            throw DatasetError(
                .notFinite, file: file, field: dataset.path,
                "row \(rows.lowerBound + index / width), column \(index % width) is "
                    + "\(values[index]) in single precision; remove the episodes concerned from "
                    + "the file")
        }
        return values
    }

    /// Rows of truth values, or of numbers 0 and 1.
    func flags(_ dataset: any RowArray, rows: Range<Int>) throws -> [Bool] {
        if dataset.isBoolean { return try dataset.booleans(rows: rows) }
        let values = try dataset.floats(rows: rows)
        if let index = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
            throw DatasetError(
                .wrongType, file: file, field: dataset.path,
                "expected truth values or 0 and 1, found \(values[index]) in row "
                    + "\(rows.lowerBound + index)")
        }
        return values.map { $0 != 0 }
    }

    /// A column of `rows` elements.
    func column(_ name: String, of table: any ArrayTable, rows: Int, fitting: String) throws
        -> any RowArray
    {
        let array = try table.array(name)
        guard array.shape == [rows] || array.shape == [rows, 1] else {
            throw DatasetError(
                .shapeMismatch, file: file, field: array.path,
                "expected the shape [\(rows)] that fits '\(fitting)', found \(array.shape)")
        }
        return array
    }

    /// Rows of columns, or of a single number each.
    func matrix(_ name: String, of table: any ArrayTable) throws -> any RowArray {
        let array = try table.array(name)
        guard array.count > 0 || array.shape.count != 1 else {
            throw DatasetError(.empty, file: file, field: name, "there are no transitions")
        }
        guard (1...2).contains(array.shape.count), array.width > 0 else {
            throw DatasetError(
                .shapeMismatch, file: file, field: name,
                "expected the shape [N, columns], found \(array.shape)")
        }
        return array
    }

    /// Observations and actions, of which there are as many.
    func observationsAndActions(
        of table: any ArrayTable
    ) throws -> (observations: any RowArray, actions: any RowArray) {
        let observations = try matrix("observations", of: table)
        let actions = try matrix("actions", of: table)
        let rows = observations.shape[0]
        guard actions.shape[0] == rows else {
            throw DatasetError(
                .shapeMismatch, file: file, field: "actions",
                "expected \(rows) rows as 'observations' has, found \(actions.shape[0])")
        }
        return (observations, actions)
    }
}

extension TrajectoryDataset.ReadingOptions {
    /// Refuses to choose among the entries of observations that have none.
    func requireNoKeys(file: String) throws(DatasetError) {
        guard observationKeys == nil else {
            throw DatasetError(
                .missingField, file: file, field: "observations",
                "there are no keys in it to choose from; leave the observation keys out")
        }
    }
}
