/// The heads of a Faster Trajectory Transformer as heads of ours, which have no biases and know
/// termination.
///
/// A layer norm gives γ n + β with Σ n = 0. With γ = β = 1 in its place, a head row w + r, with the
/// same r in every column, gives Σ w n + Σ w + C r: so every logit W (γ n + β) + b is the product
/// of the row W γ + r with n + 1, where r = (b + Σ W β - Σ W γ) / C. Termination gets a logit that
/// no softmax takes for anything but 0.
struct FasterHeads {
    /// Rows × C: the rows of all dimensions one after the other, or of the one head.
    let weights: [Float]
    /// One for each row, if there are any.
    let bias: [Float]?
    /// γ of the layer norm before the heads.
    let normWeight: [Float]
    /// β of the layer norm before the heads.
    let normBias: [Float]
    let binCount: Int

    /// The logit of termination: e to its power is 0 in any precision.
    static let termination: Float = -1000

    /// The rows of `dimension` heads: dimension × (bins + 1) × C.
    func weights(of dimension: Int) -> [Float] {
        let width = normWeight.count
        let rows = weights.count / width
        var result: [Float] = []
        result.reserveCapacity(dimension * (binCount + 1) * width)
        for index in 0..<dimension {
            for bin in 0..<binCount {
                let row = (index * binCount + bin) % rows
                result += self.row(row, width)
            }
            result += [Float](repeating: Self.termination / Float(width), count: width)
        }
        return result
    }

    private func row(_ row: Int, _ width: Int) -> [Float] {
        var scaled = [Double](repeating: 0, count: width)
        var constant = Double(bias?[row] ?? 0)
        for column in 0..<width {
            let weight = Double(weights[row * width + column])
            scaled[column] = weight * Double(normWeight[column])
            constant += weight * Double(normBias[column]) - scaled[column]
        }
        return scaled.map { Float($0 + constant / Double(width)) }
    }
}
