import Foundation
import Planning
import Safetensors
import TestSupport
import Testing

@Suite struct TokenFilterTests {
    /// Logits 8 × 11 and what a filter is to make of them.
    private func recorded(_ name: String) throws -> (logits: [[Float]], expected: [[Float]]) {
        let file = try golden.tensors("sampling.safetensors")
        return (rows(try file.floats("logits"), 11), rows(try file.floats(name), 11))
    }

    @Test(arguments: [1, 3])
    func `top-k keeps the recorded logits exactly, ties with the last one too`(
        _ count: Int
    ) throws {
        let (logits, expected) = try recorded("top_k.\(count)")
        let filter = TokenFilter(topK: count)
        for (row, result) in zip(logits, expected) { #expect(filter.filtered(row) == result) }
    }

    @Test(arguments: ["0.2", "0.6", "0.9"])
    func `the CDF filter removes the recorded logits exactly`(_ mass: String) throws {
        let (logits, expected) = try recorded("filter_cdf.\(mass)")
        let filter = TokenFilter(cdf: Double(mass), cdfRule: .authors)
        for (row, result) in zip(logits, expected) { #expect(filter.filtered(row) == result) }
    }

    @Test(
        arguments: [
            ("logp.t0.7", TokenFilter(temperature: 0.7)),
            ("logp.t0.7.k3", TokenFilter(topK: 3, temperature: 0.7)),
            ("logp.t0.7.cdf0.6", TokenFilter(cdf: 0.6, temperature: 0.7, cdfRule: .authors)),
            (
                "logp.t0.7.cdf0.6.k3",
                TokenFilter(topK: 3, cdf: 0.6, temperature: 0.7, cdfRule: .authors)
            ),
        ])
    func `log-probabilities after all filters are the recorded ones`(
        _ name: String, _ filter: TokenFilter
    ) throws {
        let (logits, expected) = try recorded(name)
        for (row, result) in zip(logits, expected) {
            let actual = filter.logProbabilities(row)
            for (a, b) in zip(actual, result) {
                // The recorded entries near -1000 have single-precision steps of 6e-5.
                #expect(a == b || abs(a - b) < (b < -500 ? 2e-4 : 1e-5))
            }
        }
    }

    @Test func `probabilities after the CDF filter are the recorded ones`() throws {
        let (logits, expected) = try recorded("probs.t1.cdf0.6")
        let filter = TokenFilter(cdf: 0.6, cdfRule: .authors)
        for (row, result) in zip(logits, expected) {
            let actual = filter.logProbabilities(row).map { exp($0) }
            #expect(relativeError(actual, result) < goldenTolerance)
        }
    }

    @Test func `the careful rule agrees with the authors' unless the top ties`() throws {
        let (logits, expected) = try recorded("filter_cdf.0.6")
        let filter = TokenFilter(cdf: 0.6)
        for (row, result) in zip(logits, expected) {
            let actual = filter.filtered(row)
            if result.allSatisfy({ $0 == TokenFilter.removedLogit }) {
                let most = try #require(row.max())
                #expect(actual.contains(most))
                #expect(zip(row, actual).allSatisfy { $0 != most || $1 == most })
            } else {
                #expect(actual == result)
            }
        }
    }

    @Test func `with equal logits the authors' rule removes all, the careful one nothing`() {
        let equal: [Float] = [2, 2, 2]
        let removed = TokenFilter.removedLogit
        #expect(
            TokenFilter(cdf: 0.6, cdfRule: .authors).filtered(equal) == [removed, removed, removed])
        #expect(TokenFilter(cdf: 0.6).filtered(equal) == equal)
        // The least likely token alone exceeds the threshold: the authors remove it all the same.
        let even: [Float] = [0, 0.1, 0.2]
        #expect(TokenFilter(cdf: 0.1, cdfRule: .authors).filtered(even) == [removed, 0.1, 0.2])
        #expect(TokenFilter(cdf: 0.1).filtered(even) == even)
    }

    @Test func `a filter of more tokens than there are changes nothing`() {
        #expect(TokenFilter(topK: 7).filtered([1, 3, 2]) == [1, 3, 2])
    }
}
