import CKernels
package import Tensors

/// What a product does with its factors; sums are in single precision always.
package enum Factors: Sendable, Hashable {
    /// Takes them as they are.
    case single
    /// Rounds them to bfloat16, which has eight bits of mantissa, on processors that multiply these.
    case bfloat16

    /// Whether this processor computes so.
    package var isSupported: Bool { self == .single || tt_has_pairs() != 0 }
}

/// The values of all parameters, and the matrices of linear layers once more as products read them.
///
/// Whoever changes ``values`` calls ``pack(pool:)`` before anything is computed with them.
package final class ParameterValues: Sendable {
    /// The values in one flat buffer, in the order of the layout.
    package let values: FloatStorage
    /// The matrices of ``PanelLayout/packings``, for the forward and the backward pass.
    package let packed: FloatStorage
    /// How the packed matrices are kept, and multiplied.
    package let factors: Factors

    private let packings: [PackedSlot]

    /// Takes over `values`, in which the matrices of `panels` lie, and packs these.
    package init(_ panels: PanelLayout, values: FloatStorage, factors: Factors = .single) {
        precondition(factors.isSupported, "this processor does not multiply \(factors)")
        precondition(
            panels.packings.allSatisfy { $0.weight.range.upperBound <= values.count },
            "\(values.count) values do not hold all matrices that are packed")
        self.values = values
        self.factors = factors
        packings = panels.packings
        packed = FloatStorage(count: panels.count)
        for packing in packings { pack(packing) }
    }

    /// Brings ``packed`` up to date with ``values``, each worker some of the matrices.
    package func pack(pool: WorkerPool) {
        pool.run { worker in
            for index in stride(from: worker, to: packings.count, by: pool.count) {
                pack(packings[index])
            }
        }
    }

    private func pack(_ packing: PackedSlot) {
        let weight = values.matrix(packing.weight)
        let pack = factors == .single ? tt_pack_panels : tt_pack_pairs
        pack(
            packed.base + packing.forward, weight.base, weight.stride, 1, weight.rows,
            weight.columns)
        pack(
            packed.base + packing.backward, weight.base, weight.stride, 0, weight.columns,
            weight.rows)
    }
}

/// Where the matrices of linear layers lie once more, packed in panels as products read them.
package struct PanelLayout: Sendable, Hashable {
    /// The matrices that are packed.
    package private(set) var packings: [PackedSlot] = []
    /// Number of elements of all packed matrices.
    package var count: Int { packings.last?.end ?? 0 }

    /// A layout without matrices.
    package init() {}

    /// Has a weight matrix packed for products, behind the others.
    mutating func pack(_ weight: ParameterSlot) -> PackedSlot {
        packings.append(PackedSlot(weight, offset: count))
        return packings[packings.count - 1]
    }
}

/// Where a weight matrix lies in panels: for y = x Wᵀ, and for dx = dy W.
package struct PackedSlot: Sendable, Hashable {
    /// The matrix itself, out × in.
    package let weight: ParameterSlot
    /// First element of in × out, in panels.
    package let forward: Int
    /// First element of out × in, in panels.
    package let backward: Int

    /// The place behind both.
    let end: Int

    /// Both one after the other from `offset` on.
    init(_ weight: ParameterSlot, offset: Int) {
        self.weight = weight
        forward = offset
        backward = offset + weight.columns * Self.padded(weight.rows)
        end = backward + weight.rows * Self.padded(weight.columns)
    }

    /// A number of columns rounded up to whole panels.
    static func padded(_ columns: Int) -> Int {
        (columns + Int(TT_PANEL) - 1) / Int(TT_PANEL) * Int(TT_PANEL)
    }
}
