/// A view of rows of floats: row-major, rows `stride` elements apart.
///
/// A view owns nothing; whoever makes one keeps the storage alive.
package struct Matrix: @unchecked Sendable {
    /// The first element.
    package let base: UnsafeMutablePointer<Float>
    /// Number of rows.
    package let rows: Int
    /// Number of columns.
    package let columns: Int
    /// Elements between the starts of neighbouring rows.
    package let stride: Int

    /// Views memory as a matrix; `stride` is `columns` where not given.
    package init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// Some of the rows.
    package func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return Matrix(
            base: base + range.lowerBound * stride, rows: range.count, columns: columns,
            stride: stride)
    }

    /// Some of the columns.
    package func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return Matrix(
            base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The first rows and columns.
    package func prefix(rows: Int, columns: Int) -> Matrix {
        self.rows(0..<rows).columns(0..<columns)
    }

    /// One element, to read or write.
    package subscript(row: Int, column: Int) -> Float {
        get { base[offset(row, column)] }
        nonmutating set { base[offset(row, column)] = newValue }
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        precondition(
            row >= 0 && row < rows && column >= 0 && column < columns,
            "(\(row),\(column)) lies outside \(rows) × \(columns)")
        return row * stride + column
    }

    /// Whether rows follow each other without gaps.
    package var isContiguous: Bool { stride == columns }

    /// The elements row by row, copied.
    package var values: [Float] {
        (0..<rows).flatMap { row in
            UnsafeBufferPointer(start: base + row * stride, count: columns)
        }
    }
}
