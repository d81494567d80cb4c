public import Foundation

/// An archive of NumPy's arrays (`.npz`), as `np.savez` and `np.savez_compressed` write it.
public struct NumPyArchive: Sendable {
    /// What each array is, by its name.
    public let arrays: [String: NumPyHeader]
    private let archive: ZipArchive

    /// Name of the file, for messages.
    public var name: String { archive.name }

    /// Opens an archive; entries that are no arrays are left out.
    ///
    /// - Throws: ``PythonFileError`` when the file is missing, damaged, or has no arrays.
    public init(contentsOf url: URL) throws(PythonFileError) {
        try self.init(ZipArchive(contentsOf: url))
    }

    /// Takes the arrays of a zip archive.
    ///
    /// - Throws: As ``init(contentsOf:)``.
    public init(_ archive: ZipArchive) throws(PythonFileError) {
        self.archive = archive
        var arrays: [String: NumPyHeader] = [:]
        for entry in archive.entries.keys where entry.hasSuffix(".npy") {
            guard let header = try NumPyHeader(archive.stream(of: entry)) else {
                throw PythonFileError(
                    .malformed, file: archive.name, part: entry,
                    "its header is not that of an array of NumPy's; write it again")
            }
            arrays[String(entry.dropLast(".npy".count))] = header
        }
        guard !arrays.isEmpty else {
            throw PythonFileError(
                .foreign, file: archive.name,
                "it is a zip archive without arrays of NumPy's; give what np.savez wrote")
        }
        self.arrays = arrays
    }

    /// The rows of an array, from the first on.
    ///
    /// - Throws: ``PythonFileError`` when there is no such array, it holds no numbers, or has no
    ///   rows.
    public func rows(of name: String) throws(PythonFileError) -> Rows {
        guard let header = arrays[name] else {
            throw PythonFileError(
                .missing, file: self.name, part: name, "there is no such array")
        }
        guard let type = header.type else {
            throw PythonFileError(
                .foreign, file: self.name, part: name,
                "it is of the type '\(header.typeName.prefix(80))', which is no number; write "
                    + "numbers (astype('float32'))")
        }
        let stream = try archive.stream(of: "\(name).npy")
        _ = try stream.next(header.length)
        let rows = header.shape.first ?? 0
        let width = header.shape.dropFirst().reduce(1, *)
        guard !header.shape.isEmpty, stream.left == rows * width * type.size else {
            throw PythonFileError(
                .malformed, file: self.name, part: name,
                "it has \(stream.left) bytes, its shape \(header.shape) asks for other; write it "
                    + "again")
        }
        guard header.isFortran, width > 1 else { return Rows(stream, type, rows, width) }
        // Columns lie side by side: they are put in order at once.
        guard
            let array = NumPyArray(
                type: type, shape: header.shape, isFortran: true,
                bytes: try stream.next(stream.left))
        else {
            throw PythonFileError(
                .malformed, file: self.name, part: name, "it has not the size of its shape")
        }
        return Rows(array.floats(), rows, width)
    }

    /// The rows of an array, one after the other.
    ///
    /// Not to be shared between threads.
    public final class Rows {
        /// How many there are.
        public let count: Int
        /// Numbers in a row.
        public let width: Int
        /// How many were taken.
        public private(set) var position = 0
        private let stream: ZipArchive.Stream?
        private let type: NumPyArray.ElementType?
        private let values: [Float]

        fileprivate init(
            _ stream: ZipArchive.Stream, _ type: NumPyArray.ElementType, _ count: Int, _ width: Int
        ) {
            (self.stream, self.type, self.count, self.width) = (stream, type, count, width)
            values = []
        }

        fileprivate init(_ values: [Float], _ count: Int, _ width: Int) {
            (stream, type, self.values, self.count, self.width) = (nil, nil, values, count, width)
        }

        /// The next rows as single-precision numbers; truth values are 0 and 1.
        ///
        /// - Throws: ``PythonFileError`` when there are fewer, or they are damaged.
        public func next(_ rows: Int) throws(PythonFileError) -> [Float] {
            precondition(
                0 <= rows && rows <= count - position,
                "\(rows) rows are asked for, \(count - position) are left")
            defer { position += rows }
            guard let stream, let type else {
                return Array(values[(position * width)..<((position + rows) * width)])
            }
            return type.numbers(try stream.next(rows * width * type.size), Float.self)
        }
    }
}
