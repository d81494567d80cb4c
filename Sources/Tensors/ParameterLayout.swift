/// Where one parameter tensor lies in the flat buffer, seen as a matrix.
package struct ParameterSlot: Sendable, Hashable {
    /// First element.
    package let offset: Int
    /// Rows of the matrix; 1 for a vector.
    package let rows: Int
    /// Columns of the matrix, or the vector's length.
    package let columns: Int

    /// A place of `rows` × `columns` elements.
    package init(offset: Int, rows: Int, columns: Int) {
        self.offset = offset
        self.rows = rows
        self.columns = columns
    }

    /// Number of elements.
    package var count: Int { rows * columns }
    /// The elements' positions in the flat buffer.
    package var range: Range<Int> { offset..<(offset + count) }
}

/// A named parameter tensor: its place, its shape on disk, and whether weight decay applies.
package struct ParameterEntry: Sendable, Hashable {
    /// Name in a checkpoint.
    package let name: String
    /// Place in the flat buffer.
    package let slot: ParameterSlot
    /// Shape in a checkpoint.
    package let shape: [Int]
    /// Whether AdamW decays it.
    package let decays: Bool
}

/// All parameters of a model, one after the other in a single flat buffer.
///
/// Values, gradients and the optimizer's moments are buffers of this layout, so that the optimizer,
/// clipping, reduction and checkpoints are loops over one array.
package struct ParameterLayout: Sendable, Hashable {
    /// The parameters in the order of the buffer.
    package private(set) var entries: [ParameterEntry] = []
    /// Number of elements in all.
    package private(set) var count = 0

    /// A layout without parameters.
    package init() {}

    /// Adds a parameter behind the others and returns its place.
    package mutating func add(_ name: String, shape: [Int], decays: Bool) -> ParameterSlot {
        let columns = shape.last ?? 1
        let elements = shape.reduce(1, *)
        let slot = ParameterSlot(offset: count, rows: elements / columns, columns: columns)
        entries.append(ParameterEntry(name: name, slot: slot, shape: shape, decays: decays))
        count += elements
        return slot
    }

    /// The parameter with this name.
    package func entry(named name: String) -> ParameterEntry? {
        entries.first { $0.name == name }
    }
}

extension FloatStorage {
    /// A parameter's elements in a buffer of its layout.
    package func matrix(_ slot: ParameterSlot) -> Matrix {
        Matrix(base: base + slot.offset, rows: slot.rows, columns: slot.columns)
    }

    /// The first of a parameter's elements.
    package func pointer(_ slot: ParameterSlot) -> UnsafeMutablePointer<Float> {
        base + slot.offset
    }
}
