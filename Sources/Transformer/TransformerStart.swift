import RandomNumbers
import Tensors
import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The values that a model's parameters have before it has learnt anything.
public enum TransformerStart: String, Sendable, Hashable, Codable, CaseIterable {
    /// As the authors' code draws them: every token's embedding and every head's row by itself.
    case authors
    /// Embeddings and heads in which neighbouring bins begin alike; all else as ``authors``.
    ///
    /// The bins of a dimension are ordered, which a model otherwise has to learn.
    case smooth
}

extension TransformerParameters {
    /// Fresh parameters.
    package func initialValues(seed: UInt64, start: TransformerStart = .authors) -> [Float] {
        var values = authorsValues(seed: seed)
        guard start == .smooth else { return values }
        // Another stream than that of the values that stay.
        var generator = SplitMix64(seed: seed ^ 0x5EED_5A00_74B1_A5E5)
        let bins = heads[0].rows - 1
        for first in stride(from: 0, to: tokens.rows - 1, by: bins) {
            draw(tokens, rows: first..<(first + bins), deviation: 0.02, &values, &generator)
        }
        for head in heads {
            // That of a uniform number in ±1/√C.
            let deviation = 1 / (3 * Double(head.columns)).squareRoot()
            draw(head, rows: 0..<bins, deviation: deviation, &values, &generator)
        }
        if let goals {
            for first in stride(from: 0, to: goals.rows, by: bins) {
                draw(goals, rows: first..<(first + bins), deviation: 0.02, &values, &generator)
            }
        }
        return values
    }

    /// Makes some rows places on a smooth random curve.
    ///
    ///     row(b) = deviation / norm * Σ_k w_k φ_k((b + 1/2) / bins) z_k
    ///
    /// with φ = 1, u - 1/2 and cos πju, sin πju for j = 1 to 7, w = 1, 2 and 1/(1 + j), and z_k a
    /// standard normal vector; the norm makes `deviation` that of all the numbers.
    private func draw(
        _ slot: ParameterSlot, rows: Range<Int>, deviation: Double, _ values: inout [Float],
        _ generator: inout SplitMix64
    ) {
        var curves: [[Double]] = []
        let places = (0..<rows.count).map { (Double($0) + 0.5) / Double(rows.count) }
        curves.append(places.map { _ in 1 })
        curves.append(places.map { 2 * ($0 - 0.5) })
        for j in 1...7 {
            let weight = 1 / Double(1 + j)
            curves.append(places.map { weight * cos(.pi * Double(j) * $0) })
            curves.append(places.map { weight * sin(.pi * Double(j) * $0) })
        }
        let squares = curves.joined().reduce(0) { $0 + $1 * $1 } / Double(rows.count)
        let scale = deviation / squares.squareRoot()
        var sums = [Double](repeating: 0, count: rows.count * slot.columns)
        for curve in curves {
            let directions = (0..<slot.columns).map { _ in generator.normal() }
            for (row, height) in curve.enumerated() {
                for column in 0..<slot.columns {
                    sums[row * slot.columns + column] += height * directions[column]
                }
            }
        }
        let first = slot.offset + rows.lowerBound * slot.columns
        for (index, sum) in sums.enumerated() { values[first + index] = Float(scale * sum) }
    }

    /// The authors': weights normal with deviation 0.02, biases and positions zero, layer norms one
    /// and zero, heads uniform in ±1/√C.
    private func authorsValues(seed: UInt64) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(layout.count)
        var generator = SplitMix64(seed: seed)
        for entry in layout.entries {
            for _ in 0..<entry.slot.count {
                let value: Float =
                    if entry.name == "head.weight" {
                        Float(2 * generator.uniform() - 1) / Float(entry.slot.columns).squareRoot()
                    } else if entry.decays
                        || ["tok_emb.weight", "goal_emb.weight"].contains(entry.name)
                    {
                        Float(0.02 * generator.normal())
                    } else if entry.name.contains("ln") && entry.name.hasSuffix("weight") {
                        1
                    } else {
                        0
                    }
                values.append(value)
            }
        }
        return values
    }
}
