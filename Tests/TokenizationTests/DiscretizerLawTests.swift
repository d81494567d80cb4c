import TestSupport
import Testing
import Tokenization

@Suite struct DiscretizerLawTests {
    /// Random columns of several kinds: spread, repeated, constant, tiny and huge values.
    private func data(rows: Int, _ generator: inout SeededGenerator) -> [Double] {
        (0..<rows).flatMap { _ in
            [
                Double(generator.float(in: -1...1)),
                Double(Int(generator.float(in: 0...4))),
                -2.5,
                Double(generator.float(in: -1...1)) * 1e-30,
                Double(generator.float(in: -1...1)) * 1e30,
            ]
        }
    }

    @Test(arguments: Discretizer.Strategy.allCases, [1, 2, 10, 100, 300])
    func `a value is decoded within its own bin, and tokens rise with values`(
        strategy: Discretizer.Strategy, binCount: Int
    ) throws {
        let seed = UInt64(binCount) * 2 + (strategy == .quantile ? 1 : 0)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let rows = 300 + Int(generator.float(in: 0...2000))
        let values = data(rows: rows, &generator)
        let discretizer = try Discretizer(
            fitting: strategy, to: values, dimension: 5, binCount: binCount)
        for dimension in 0..<5 {
            let column = stride(from: dimension, to: values.count, by: 5).map { values[$0] }
            let sorted = column.sorted()
            var last = 0
            for value in sorted {
                let token = discretizer.token(for: value, dimension: dimension)
                #expect(0 <= token && token < binCount)
                #expect(token >= last)
                last = token
                let center = discretizer.value(of: token, dimension: dimension)
                let lower = discretizer.edges[token * 5 + dimension]
                let upper = discretizer.edges[(token + 1) * 5 + dimension]
                #expect(lower <= center && center <= upper)
                // Uniform bins are found by division, which may round across an edge.
                let slack = strategy == .quantile ? 0 : (sorted[rows - 1] - sorted[0]) * 1e-12
                #expect(lower - slack <= value && value <= upper + slack)
                if lower < upper {
                    #expect(discretizer.token(for: center, dimension: dimension) == token)
                }
            }
        }
    }

    @Test func `quantile bins hold equally many distinct values`() throws {
        let values = (0..<1000).map(Double.init).shuffled()
        let discretizer = try Discretizer(quantilesOf: values, dimension: 1, binCount: 20)
        var counts = Array(repeating: 0, count: 20)
        for value in values { counts[discretizer.token(for: value, dimension: 0)] += 1 }
        #expect(counts.allSatisfy { $0 == 50 })
    }

    @Test func `rows that the authors' rule cannot divide are divided evenly`() throws {
        let values = (0..<5001).map(Double.init)
        let discretizer = try Discretizer(quantilesOf: values, dimension: 1, binCount: 100)
        var counts = Array(repeating: 0, count: 100)
        for value in values { counts[discretizer.token(for: value, dimension: 0)] += 1 }
        #expect(counts.allSatisfy { (50...51).contains($0) })
    }

    @Test func `numbers from outside that are not finite, or too many, are refused`() throws {
        let discretizer = try Discretizer(
            uniformOver: [0, 1, 2, 3, 4, 5], dimension: 3, binCount: 2)
        #expect(try discretizer.encode([-7, 99], from: 1) == [0, 1])
        for value in [Double.nan, .infinity, -.infinity] {
            let error = #expect(throws: DiscretizerError.self) {
                try discretizer.encode([1, value], from: 1)
            }
            #expect(error?.code == .notFinite && error?.dimension == 2)
        }
        let error = #expect(throws: DiscretizerError.self) {
            try discretizer.encode([1, 2], from: 2)
        }
        #expect(error?.code == .malformed)
    }

    @Test func `values out of range and NaN get tokens of bins`() throws {
        for strategy in Discretizer.Strategy.allCases {
            let discretizer = try Discretizer(
                fitting: strategy, to: [0, 1, 2, 3], dimension: 1, binCount: 4)
            for (value, token) in [
                (-Double.infinity, 0), (-1e300, 0), (.nan, 0), (1e300, 3), (.infinity, 3),
            ] {
                #expect(discretizer.token(for: value, dimension: 0) == token)
            }
        }
    }

    @Test func `exact percentiles lie in the bin that holds them`() throws {
        let discretizer = try Discretizer(
            uniformOver: [0, 10], dimension: 1, binCount: 10)
        func exact(_ fraction: Double, _ probabilities: [Float]) -> Double {
            discretizer.percentile(fraction, of: probabilities, dimension: 0)
        }
        let even = [Float](repeating: 0.1, count: 10)
        #expect(exact(0, even) == 0.5)
        #expect(exact(0.55, even) == 5.5)
        #expect(exact(1, even) == 9.5)
        // Half of the mass ends the trajectory; the median of the rest is unmoved by it.
        #expect(exact(0.55, even.map { $0 / 2 } + [0.5]) == 5.5)
        let none = [Float](repeating: 0, count: 10) + [1]
        #expect(exact(0.5, none) == 0)
        #expect(exact(1, [0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0]) == 2.5)
    }

    @Test func `probabilities of any collection are read alike`() throws {
        let discretizer = try Discretizer(uniformOver: [0, 10], dimension: 1, binCount: 4)
        let probabilities: [Float] = [0.1, 0.2, 0.3, 0.25, 0.15]
        let lazy = probabilities.lazy.map { $0 }
        #expect(
            discretizer.expectation(of: probabilities, dimension: 0)
                == discretizer.expectation(of: lazy, dimension: 0))
        #expect(
            discretizer.percentile(0.6, of: probabilities[...], dimension: 0)
                == discretizer.percentile(0.6, of: lazy, dimension: 0))
    }

    @Test func `too few rows, numbers that are none and damaged edges are refused`() throws {
        let few = #expect(throws: DiscretizerError.self) {
            try Discretizer(quantilesOf: Array(repeating: 0, count: 18), dimension: 2, binCount: 10)
        }
        #expect(few?.description.contains("9 rows do not fill 10 quantile bins") == true)
        let nan = #expect(throws: DiscretizerError.self) {
            try Discretizer(uniformOver: [0, 1, 2, .nan], dimension: 2, binCount: 1)
        }
        #expect(nan?.code == .notFinite)
        #expect(nan?.dimension == 1)
        for edges in [[0.0, 1, 2, 3, 1, 4], [0, 1, .infinity, 3, 4, 5], [0, 1]] {
            let damaged = #expect(throws: DiscretizerError.self) {
                try Discretizer(strategy: .quantile, validating: edges, dimension: 2, binCount: 2)
            }
            #expect(damaged?.code == .malformed)
        }
    }

    @Test func `edges restore the same discretizer`() throws {
        var generator = SeededGenerator(seed: 5)
        let fitted = try Discretizer(
            quantilesOf: data(rows: 400, &generator), dimension: 5, binCount: 20)
        let restored = try Discretizer(
            strategy: fitted.strategy, validating: fitted.edges, dimension: 5, binCount: 20)
        #expect(restored == fitted)
    }

    @Test func `two hundred thousand HalfCheetah transitions take seconds at most`() throws {
        var generator = SeededGenerator(seed: 6)
        let values = (0..<(200_000 * 25)).map { _ in
            Double(Float(generator.next() >> 40) * 0x1p-24)
        }
        let clock = ContinuousClock()
        var discretizer: Discretizer?
        let fitting = try clock.measure {
            discretizer = try Discretizer(quantilesOf: values, dimension: 25, binCount: 100)
        }
        let fitted = try #require(discretizer)
        var sum = 0
        let encoding = clock.measure {
            for (index, value) in values.enumerated() {
                sum &+= fitted.token(for: value, dimension: index % 25)
            }
        }
        print("fit \(fitting), tokenize \(encoding) (200,000 × 25)")
        #expect(sum > 0)
        #expect(fitting + encoding < .seconds(20))
    }

    @Test func `low rewards read without the penalty that shares their bin`() throws {
        // 4,000 rewards from 0 up, of which three were replaced by a penalty; ten bins.
        var values = (0..<4000).map { Double($0) / 1000 }
        for row in [500, 1500, 2500] { values[row] = -100 }
        let bins = try Discretizer(quantilesOf: values, dimension: 1, binCount: 10)
        let apart = bins.readingRewards(apartFrom: -100, dimension: 0)
        #expect(abs(bins.value(of: 0, dimension: 0) + 49.8) < 0.01)
        #expect(abs(apart.value(of: 0, dimension: 0) - 0.398) < 0.01)
        #expect(
            (1..<10).allSatisfy {
                apart.value(of: $0, dimension: 0) == bins.value(of: $0, dimension: 0)
            })
        #expect(apart.edges == bins.edges)
        #expect(apart.token(for: -100, dimension: 0) == 0)
        #expect(apart.token(for: 0.1, dimension: 0) == 0)
        #expect(
            abs(apart.expectation(of: [1] + Array(repeating: 0, count: 9), dimension: 0) - 0.398)
                < 0.01)
        // Nothing changes where nothing was replaced, by another number, or in bins of equal width.
        #expect(bins.readingRewards(apartFrom: nil, dimension: 0) == bins)
        #expect(bins.readingRewards(apartFrom: -50, dimension: 0) == bins)
        let uniform = try Discretizer(uniformOver: values, dimension: 1, binCount: 10)
        #expect(uniform.readingRewards(apartFrom: -100, dimension: 0) == uniform)
    }

    @Test func `a penalty that fills bins by itself is read as it is`() throws {
        var values = (0..<400).map { Double($0) / 100 }
        for row in 0..<100 { values[row] = -100 }
        let bins = try Discretizer(quantilesOf: values, dimension: 1, binCount: 10)
        #expect(bins.readingRewards(apartFrom: -100, dimension: 0) == bins)
    }
}
