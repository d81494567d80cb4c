#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A fixed number of floats at a fixed, 64-byte aligned address, zero at first.
///
/// The one owner of memory in the engine; everything else is a view of one of these.
package final class FloatStorage: @unchecked Sendable {
    /// The first element.
    package let base: UnsafeMutablePointer<Float>
    /// Number of elements.
    package let count: Int

    /// Allocates `count` zeros.
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) numbers")
        self.count = count
        let bytes = max(count * MemoryLayout<Float>.stride, 64)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        base = raw.assumingMemoryBound(to: Float.self)
    }

    deinit {
        base.deallocate()
    }

    /// The elements, copied.
    package var values: [Float] {
        Array(UnsafeBufferPointer(start: base, count: count))
    }

    /// The elements of a range, copied.
    package func values(in range: Range<Int>) -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Overwrites the elements from `offset` on.
    package func write(_ values: [Float], at offset: Int = 0) {
        precondition(offset >= 0 && offset + values.count <= count)
        values.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            (base + offset).update(from: first, count: source.count)
        }
    }

    /// Copies `count` elements from `offset` on into a row of `matrix`, from `column` on.
    package func copy(from offset: Int, count: Int, to matrix: Matrix, row: Int, column: Int) {
        precondition(
            offset >= 0 && offset + count <= self.count && row >= 0 && row < matrix.rows
                && column >= 0 && column + count <= matrix.columns,
            "\(count) numbers from \(offset) of \(self.count) on to (\(row),\(column)) of "
                + "\(matrix.rows) × \(matrix.columns)")
        (matrix.base + row * matrix.stride + column).update(from: base + offset, count: count)
    }

    /// Lends the elements to `body`, to be read and changed in place.
    package func withMutableSpan<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        var span = UnsafeMutableBufferPointer(start: base, count: count).mutableSpan
        try body(&span)
    }

    /// Sets every element to zero.
    package func clear() {
        base.update(repeating: 0, count: count)
    }

    /// One element, to read or write.
    package subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count)
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count)
            base[index] = newValue
        }
    }

    /// Moves every element by `share` of the way to that of `other`; 1 copies.
    package func move(to other: FloatStorage, share: Float) {
        precondition(other.count == count, "\(other.count) numbers for \(count)")
        for index in 0..<count { base[index] += share * (other.base[index] - base[index]) }
    }

    /// All of the storage as a matrix with `columns` columns.
    package func matrix(columns: Int) -> Matrix {
        Matrix(base: base, rows: count / max(columns, 1), columns: columns)
    }

    /// A larger copy, zero behind the present elements.
    package func resized(to count: Int) -> FloatStorage {
        let result = FloatStorage(count: count)
        result.base.update(from: base, count: min(count, self.count))
        return result
    }
}
