import HDF5

/// An array of a file, whose first dimension counts rows.
protocol RowArray: Sendable {
    /// Its path within the file, for messages.
    var path: String { get }
    /// Extent of each dimension, the outermost first.
    var shape: [Int] { get }
    /// Whether the elements are truth values.
    var isBoolean: Bool { get }
    /// Rows that are stored together, if any are.
    var chunkRows: Int? { get }

    /// Some rows as single-precision numbers.
    func floats(rows: Range<Int>) throws -> [Float]
    /// Some rows as truth values.
    func booleans(rows: Range<Int>) throws -> [Bool]
}

extension RowArray {
    /// Number of elements.
    var count: Int { shape.reduce(1, *) }
    /// Numbers in a row.
    var width: Int { shape.dropFirst().reduce(1, *) }
}

/// Named arrays of a file.
protocol ArrayTable: Sendable {
    /// The file, for messages.
    var file: String { get }
    /// What the file says about itself.
    var texts: [String: String] { get }

    /// Whether there is an array of this name.
    func contains(_ name: String) -> Bool
    /// The array of this name.
    func array(_ name: String) throws -> any RowArray
}

extension HDF5Dataset: RowArray {
    var isBoolean: Bool { elementType == .boolean }

    func floats(rows: Range<Int>) throws -> [Float] { try floats(rows: Optional(rows)) }

    func booleans(rows: Range<Int>) throws -> [Bool] { try booleans(rows: Optional(rows)) }
}

extension HDF5Group: ArrayTable {
    // Nothing depends on them, so what cannot be read is not there.
    var texts: [String: String] { (try? stringAttributes()) ?? [:] }

    func array(_ name: String) throws -> any RowArray { try dataset(name) }
}
