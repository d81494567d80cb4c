import Foundation
import Layers
import RandomNumbers
import Tensors
import TestSupport
import Testing

/// The vectorized kernels against plain twins in double precision.
@Suite struct KernelAccuracyTests {
    @Test func `GELU is exact to 5e-7 over its whole range`() {
        let inputs = stride(from: Float(-12), through: 12, by: 0.001).map { $0 }
        let x = FloatStorage(count: inputs.count)
        x.write(inputs)
        let y = FloatStorage(count: inputs.count)
        GELU.forward(
            input: x.matrix(columns: inputs.count), output: y.matrix(columns: inputs.count))
        let expected = inputs.map { u in
            Float(Double(u) * 0.5 * erfc(-Double(u) / 2.0.squareRoot()))
        }
        let errors = zip(zip(y.values, expected), inputs).map {
            abs($0.0 - $0.1) / max(1, abs($1))
        }
        #expect((errors.max() ?? 1) < 5e-7)
        let slopes = inputs.map { u in
            let u = Double(u)
            return Float(
                0.5 * erfc(-u / 2.0.squareRoot()) + u * exp(-u * u / 2)
                    / (2 * Double.pi).squareRoot())
        }
        #expect((zip(x.values, slopes).map { abs($0 - $1) }.max() ?? 1) < 5e-7)
    }

    @Test func `softmax by attention is exact to the rounding of its scores, also large ones`() {
        // One head of one channel: the scores are products of single numbers.
        var generator = SeededGenerator(seed: 1)
        let tokens = 37
        let attention = CausalSelfAttention(heads: 1, width: 1, length: tokens) { $0 == 5 }
        let qkv = FloatStorage(count: 3 * tokens)
        for index in 0..<qkv.count { qkv.base[index] = generator.float(in: -9...9) }
        let y = FloatStorage(count: tokens)
        let probabilities = FloatStorage(count: attention.probabilitiesPerSequence)
        attention.forward(
            qkv: qkv.matrix(columns: 3), output: y.matrix(columns: 1),
            probabilities: probabilities.base,
            scratch: FloatStorage(count: attention.scratchCount), dropout: .none, sequence: 0)
        for query in 0..<tokens {
            let q = Double(qkv.base[3 * query])
            let keys = (0...query).filter { $0 != 5 }
            let scores = keys.map { q * Double(qkv.base[3 * $0 + 1]) }
            let top = scores.max() ?? 0
            let weights = scores.map { exp($0 - top) }
            let total = weights.reduce(0, +)
            let actual = attention.weights(
                in: probabilities.base, head: 0, query: query, tokens: tokens)
            for (key, weight) in zip(keys, weights) {
                // A score of 81 is itself rounded by 4e-6.
                #expect(abs(Double(actual[key]) - weight / total) < 5e-6)
            }
            #expect(query < 5 || actual[5] == 0)
        }
    }

    @Test func `dropout drops the asked share, independently of how rows are split`() {
        let (rows, width) = (500, 64)
        let dropout = Dropout(probability: 0.1, stream: 77)
        let zero = FloatStorage(count: rows * width)
        let ones = FloatStorage(count: rows * width)
        ones.write(Array(repeating: 1, count: rows * width))
        func apply(_ ranges: [Range<Int>]) -> [Float] {
            let output = FloatStorage(count: rows * width)
            for range in ranges {
                Residual.forward(
                    x: zero.matrix(columns: width).rows(range),
                    branch: ones.matrix(columns: width).rows(range),
                    output: output.matrix(columns: width).rows(range), dropout: dropout,
                    firstRow: range.lowerBound)
            }
            return output.values
        }
        let whole = apply([0..<rows])
        #expect(whole == apply([0..<13, 13..<400, 400..<rows]))
        let dropped = Double(whole.count { $0 == 0 }) / Double(whole.count)
        #expect(abs(dropped - 0.1) < 0.006)
        #expect(whole.allSatisfy { $0 == 0 || abs($0 - 1 / 0.9) < 1e-6 })
        // Neighbouring rows and columns, and other streams, choose independently.
        let other = Dropout(probability: 0.1, stream: 78)
        let output = FloatStorage(count: rows * width)
        Residual.forward(
            x: zero.matrix(columns: width), branch: ones.matrix(columns: width),
            output: output.matrix(columns: width), dropout: other, firstRow: 0)
        for pairs in [
            Array(zip(whole, whole.dropFirst())), Array(zip(whole, whole.dropFirst(width))),
            Array(zip(whole, output.values)),
        ] {
            let both = Double(pairs.count { $0.0 == 0 && $0.1 == 0 }) / Double(pairs.count)
            #expect(abs(both - 0.01) < 0.003)
        }
    }

    @Test func `the norm of a million gradients is exact to 1e-6`() {
        let count = 1_000_003
        let storage = FloatStorage(count: count)
        var generator = SeededGenerator(seed: 3)
        var sum = 0.0
        for index in 0..<count {
            storage.base[index] = generator.float(in: -1e-3...1e-3)
            sum += Double(storage.base[index]) * Double(storage.base[index])
        }
        for workers in [1, 3] {
            let norm = Gradients.norm(storage, pool: WorkerPool(count: workers))
            #expect(abs(Double(norm) / sum.squareRoot() - 1) < 1e-6)
        }
    }
}
