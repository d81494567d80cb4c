import PythonFiles
import Synchronization

/// The arrays of an archive of NumPy's (`.npz`).
struct NumPyTable: ArrayTable {
    let archive: NumPyArchive

    var file: String { archive.name }
    var texts: [String: String] { [:] }

    func contains(_ name: String) -> Bool { archive.arrays[name] != nil }

    func array(_ name: String) throws -> any RowArray {
        guard let header = archive.arrays[name] else {
            throw DatasetError(
                .missingField, file: file, field: name,
                "there is no such array; it has "
                    + archive.arrays.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))
        }
        // Opening it finds what is wrong with it.
        return NumPyColumn(archive, name, header, try archive.rows(of: name))
    }
}

/// An array of an archive, which is unpacked from its start on: what is read in order is unpacked
/// once.
private final class NumPyColumn: RowArray, @unchecked Sendable {
    // Unchecked: `rows` is used under the lock alone.
    let path: String
    let shape: [Int]
    let isBoolean: Bool
    var chunkRows: Int? { nil }
    private let archive: NumPyArchive
    private let lock = Mutex(())
    private var rows: NumPyArchive.Rows

    init(
        _ archive: NumPyArchive, _ name: String, _ header: NumPyHeader, _ rows: NumPyArchive.Rows
    ) {
        (self.archive, path, shape, self.rows) = (archive, name, header.shape, rows)
        isBoolean = header.type?.kind == .boolean
    }

    /// Rows to skip at a time.
    private static let step = 1 << 16

    func floats(rows range: Range<Int>) throws -> [Float] {
        try lock.withLock { _ in
            if range.lowerBound < rows.position { rows = try archive.rows(of: path) }
            while rows.position < range.lowerBound {
                _ = try rows.next(min(Self.step, range.lowerBound - rows.position))
            }
            return try rows.next(range.count)
        }
    }

    func booleans(rows: Range<Int>) throws -> [Bool] { try floats(rows: rows).map { $0 != 0 } }
}
