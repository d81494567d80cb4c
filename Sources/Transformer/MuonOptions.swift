package import Tensors

/// How the matrices inside the blocks learn where AdamW does not teach them: by Muon, whose steps
/// turn a matrix as far in every direction.
///
/// For a matrix W of r rows and c columns, with clipped gradient G and the momentum M, which begins
/// at zero and is kept as ``EngineState/firstMoment``:
///
///     M ← μ M + G
///     X = G + μ M,  X ← X / (‖X‖ + 1e-7)
///     five times:  A = X Xᵀ,  X ← a X + (b A + c A²) X,   (a, b, c) = (3.4445, -4.7750, 2.0315)
///     W ← (1 - η λ) W - ρ η √max(1, r/c) X
///
/// with η the step's learning rate, λ the weight decay and ρ ``rateRatio``; where r > c, the
/// iteration is that of the transpose. Queries, keys and values of a block are matrices of their
/// own. Everything else learns by AdamW. Jordan et al. 2024, "Muon: an optimizer for hidden
/// layers".
public struct MuonOptions: Sendable, Hashable {
    /// Muon's learning rate, in units of AdamW's.
    public var rateRatio: Float = 5
    /// The decay of the momentum.
    public var momentum: Float = 0.95

    /// How often the iteration is done.
    package static let iterations = 5
    /// Its coefficients a, b and c.
    package static let coefficients: (Float, Float, Float) = (3.4445, -4.7750, 2.0315)

    /// The usual.
    public init() {}

    /// Why no engine can learn with these, or nil.
    package var problem: String? {
        if !(rateRatio.isFinite && rateRatio > 0) {
            return "Muon's rate is \(rateRatio) of AdamW's; it is a number above 0"
        }
        if !(0..<1 ~= momentum) {
            return "Muon's momentum is \(momentum); it is at least 0 and below 1"
        }
        return nil
    }
}

extension TransformerParameters {
    /// The matrices that Muon turns: of each block query, key, value, projection, expansion and
    /// contraction.
    package var blockMatrices: [ParameterSlot] {
        blocks.flatMap { block in
            let (both, width) = (block.keyValue.weight, block.query.weight.rows)
            let parts = [0, 1].map {
                ParameterSlot(
                    offset: both.offset + $0 * width * both.columns, rows: width,
                    columns: both.columns)
            }
            return [block.query.weight] + parts
                + [block.projection.weight, block.expansion.weight, block.contraction.weight]
        }
    }
}
