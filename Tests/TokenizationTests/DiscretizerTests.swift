import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization

let golden = GoldenData(Bundle.module)

@Suite struct DiscretizerGoldenTests {
    let file: SafetensorsFile
    let quantile: Discretizer
    let uniform: Discretizer

    init() throws {
        file = try golden.tensors("discretizer.safetensors")
        let data = try file.doubles("data")
        quantile = try Discretizer(quantilesOf: data, dimension: 4, binCount: 10)
        uniform = try Discretizer(uniformOver: data, dimension: 4, binCount: 10)
    }

    private func rows<Element>(_ elements: [Element], _ width: Int = 4) -> [[Element]] {
        stride(from: 0, to: elements.count, by: width).map {
            Array(elements[$0..<($0 + width)])
        }
    }

    @Test func `quantile edges, tokens and reconstructions agree`() throws {
        #expect(try quantile.edges == file.doubles("quantile.thresholds"))
        let tokens = try rows(file.doubles("points")).map { try quantile.encode($0) }
        #expect(try tokens == rows(file.integers("quantile.indices")))
        #expect(
            try tokens.flatMap { quantile.decode($0) } == file.doubles("quantile.reconstruction"))
    }

    @Test func `uniform edges, tokens and reconstructions agree`() throws {
        #expect(relativeError(uniform.edges, try file.doubles("uniform.edges")) < 1e-15)
        let tokens = try rows(file.doubles("points")).map { try uniform.encode($0) }
        #expect(try tokens == rows(file.integers("uniform.indices")))
        let values = tokens.flatMap { uniform.decode($0) }
        #expect(relativeError(values, try file.doubles("uniform.reconstruction")) < 1e-15)
    }

    @Test func `tokens outside the bins reconstruct as the nearest bin`() throws {
        let tokens = rows(try file.integers("out_of_range.indices"))
        #expect(
            try tokens.flatMap { quantile.decode($0) }
                == file.doubles("out_of_range.reconstruction"))
    }

    @Test func `expectations agree and are not renormalized`() throws {
        let values = try rows(file.floats("probs"), 10).flatMap { probabilities in
            (0..<4).map { quantile.expectation(of: probabilities, dimension: $0) }
        }
        #expect(relativeError(values, try file.doubles("expectation")) < 1e-7)
    }

    @Test(arguments: ["0.2", "0.5", "0.8"])
    func `percentiles agree with the authors' readout`(fraction: String) throws {
        let q = try #require(Double(fraction))
        let values = try rows(file.floats("probs"), 10).flatMap { probabilities in
            (0..<4).map {
                quantile.percentile(q, of: probabilities, dimension: $0, readout: .authors)
            }
        }
        #expect(try values == file.doubles("percentile.\(fraction)"))
    }

    @Test func `reward and value are read from distributions with a termination token`() throws {
        let data = rows(try file.doubles("data")).flatMap { $0.prefix(3) }
        let discretizer = try Discretizer(quantilesOf: data, dimension: 3, binCount: 10)
        let probabilities = rows(try file.floats("value_fn.probs"), 11)
        for (name, readout) in [
            ("mean", ReturnReadout.mean), ("0.8", .percentile(0.8, .authors)),
        ] {
            let read = (0..<6).map {
                readout.read(
                    reward: probabilities[2 * $0], value: probabilities[2 * $0 + 1],
                    discretizer: discretizer)
            }
            let rewards = try file.doubles("value_fn.\(name).reward")
            let values = try file.doubles("value_fn.\(name).value")
            #expect(relativeError(read.map(\.reward), rewards) < 1e-6)
            #expect(relativeError(read.map(\.value), values) < 1e-6)
        }
    }
}
