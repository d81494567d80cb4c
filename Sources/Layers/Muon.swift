import CKernels
import Synchronization
package import Tensors

/// Muon: momentum whose steps are turned into matrices that stretch no direction more than another.
///
///     M = μ M + G;  X = (G + μ M) / (‖G + μ M‖ + 1e-7)
///     some times:  A = X Xᵀ,  X = (a + b A + c A²) X
///     W = (1 - rate * decay) W - rate * ratio * √max(1, rows / columns) X
///
/// A matrix with more rows than columns is iterated as its transpose. Jordan et al. 2024.
package struct Muon: Sendable {
    /// The settings.
    package struct Settings: Sendable, Hashable {
        /// Decay of the momentum.
        package var momentum: Float = 0.95
        /// What a learning rate is multiplied by.
        package var rateRatio: Float = 1
        /// Weight decay.
        package var weightDecay: Float = 0
        /// Times that the iteration is done.
        package var iterations = 5
        /// Its coefficients a, b and c.
        package var coefficients: [Float] = [3.4445, -4.7750, 2.0315]

        /// The published ones.
        package init() {}
    }

    /// The settings.
    package let settings: Settings
    /// The matrices that it updates.
    package let matrices: [ParameterSlot]

    /// Those that take longest first, so that workers end together.
    private let order: [ParameterSlot]
    private let scratch: [Scratch]

    /// An optimizer of some of the parameters, for pools of up to `workers`.
    package init(_ matrices: [ParameterSlot], settings: Settings = Settings(), workers: Int) {
        precondition(settings.coefficients.count == 3, "the iteration has three coefficients")
        self.settings = settings
        self.matrices = matrices
        order = matrices.sorted { ($0.count, $1.offset) > ($1.count, $0.offset) }
        scratch = (0..<workers).map { _ in Scratch(for: matrices) }
    }

    /// One update of `parameters` with `gradients` times `gradientScale`.
    ///
    /// `momentum`, in the layout of the parameters, begins as zero. Each matrix is one worker's, so
    /// the result does not depend on how many there are.
    package func update(
        _ parameters: FloatStorage, gradients: FloatStorage, momentum: FloatStorage,
        gradientScale: Float, rate: Float, pool: WorkerPool
    ) {
        precondition(pool.count <= scratch.count, "room for \(scratch.count) of \(pool.count)")
        let next = Atomic(0)
        pool.run { worker in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < order.count else { break }
                let (slot, scratch) = (order[index], scratch[worker])
                tt_momentum(
                    scratch.x.base, momentum.pointer(slot), gradients.pointer(slot), gradientScale,
                    settings.momentum, slot.count)
                let x = orthogonalized(slot, scratch)
                let stretch = max(1, Float(slot.rows) / Float(slot.columns)).squareRoot()
                tt_weighted_sum(
                    parameters.pointer(slot), 1 - rate * settings.weightDecay, x,
                    -rate * settings.rateRatio * stretch, slot.count)
            }
        }
    }

    /// The iteration on the matrix in `scratch.x`; returns where the result lies.
    private func orthogonalized(
        _ slot: ParameterSlot, _ scratch: Scratch
    ) -> UnsafeMutablePointer<Float> {
        let (rows, columns, a) = (slot.rows, slot.columns, settings.coefficients)
        let (side, isTall) = (min(rows, columns), rows > columns)
        var (x, other) = (scratch.x.base, scratch.other.base)
        var squares = 0.0
        tt_sum_of_squares(&squares, x, slot.count)
        tt_weighted_sum(x, 1 / (Float(squares.squareRoot()) + 1e-7), x, 0, slot.count)
        let (gram, factor) = (scratch.gram.base, scratch.factor.base)
        for _ in 0..<settings.iterations {
            if isTall {
                tt_product(
                    gram, x, x, nil, side, columns, 1, columns, 0, side, side, rows, 0, nil)
            } else {
                tt_pack_panels(scratch.packed.base, x, columns, 1, rows, columns)
                tt_product(
                    gram, x, scratch.packed.base, nil, side, columns, 0, 0, 1, side, side, columns,
                    0, nil)
            }
            tt_product(factor, gram, gram, nil, side, side, 0, side, 0, side, side, side, 0, nil)
            tt_weighted_sum(factor, a[2], gram, a[1], side * side)
            for index in 0..<side { factor[index * (side + 1)] += a[0] }
            if isTall {
                tt_product(
                    other, x, factor, nil, columns, columns, 0, side, 0, rows, columns, side, 0,
                    nil)
            } else {
                tt_product(
                    other, factor, x, nil, columns, side, 0, columns, 0, rows, columns, side, 0,
                    nil)
            }
            swap(&x, &other)
        }
        return x
    }

    /// One worker's memory.
    private final class Scratch: Sendable {
        /// The matrix, and where the next one is made.
        let x, other: FloatStorage
        /// Its Gram matrix, and what it is multiplied by.
        let gram, factor: FloatStorage
        /// A wide matrix's transpose in panels.
        let packed: FloatStorage

        init(for matrices: [ParameterSlot]) {
            let side = matrices.map { min($0.rows, $0.columns) }.max() ?? 0
            x = FloatStorage(count: matrices.map(\.count).max() ?? 0)
            other = FloatStorage(count: x.count)
            gram = FloatStorage(count: side * side)
            factor = FloatStorage(count: side * side)
            packed = FloatStorage(
                count: matrices.filter { $0.rows <= $0.columns }.map {
                    $0.columns * PackedSlot.padded($0.rows)
                }.max() ?? 0)
        }
    }
}
