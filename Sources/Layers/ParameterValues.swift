internal import CKernels
package import Tensors

/// The values of all parameters, and the matrices of linear layers once more as products read them.
///
/// Whoever changes ``values`` calls ``pack(pool:)`` before anything is computed with them.
package final class ParameterValues: Sendable {
    /// The values in one flat buffer, in the order of the layout.
    package let values: FloatStorage
    /// The matrices of ``ParameterLayout/packings``, for the forward and the backward pass.
    package let packed: FloatStorage

    private let packings: [PackedSlot]

    /// Takes over `values`, which are of this layout, and packs them.
    package init(_ layout: ParameterLayout, values: FloatStorage) {
        precondition(
            values.count == layout.count,
            "\(values.count) values for a layout of \(layout.count) parameters")
        self.values = values
        packings = layout.packings
        packed = FloatStorage(count: layout.packedCount)
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
        tt_pack_panels(
            packed.base + packing.forward, weight.base, weight.stride, 1, weight.rows,
            weight.columns)
        tt_pack_panels(
            packed.base + packing.backward, weight.base, weight.stride, 0, weight.columns,
            weight.rows)
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
