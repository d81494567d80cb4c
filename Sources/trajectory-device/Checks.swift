import CUDA
import Foundation
import Trajectories
import Transformer

/// Runs checks one after the other, says what came of each, and goes on behind one that fails.
struct Checks {
    /// How many failed.
    private(set) var failures = 0

    /// A check that does not hold.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a check, which returns what it found or throws why it does not hold.
    mutating func run(_ name: String, _ body: () throws -> String) {
        let start = ContinuousClock.now
        do {
            let found = try body()
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print("ok    \(name): \(found) [\(seconds.digits(2)) s]")
        } catch {
            failures += 1
            print("FAIL  \(name): \(error)")
        }
        // Whoever stops this program keeps what it has found.
        fflush(nil)
    }

    /// The largest difference over the largest magnitude; infinite where one is not a number.
    static func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
        guard actual.count == expected.count else { return .infinity }
        var largest = 0.0
        var difference = 0.0
        for (a, b) in zip(actual, expected) {
            guard a.isFinite, b.isFinite else { return .infinity }
            largest = max(largest, Double(b.magnitude))
            difference = max(difference, Double((a - b).magnitude))
        }
        return difference / max(largest, .leastNormalMagnitude)
    }

    /// The length of the difference over that of `expected`; infinite where one is not a number.
    static func distance(_ actual: [Float], _ expected: [Float]) -> Double {
        guard actual.count == expected.count else { return .infinity }
        var (difference, length) = (0.0, 0.0)
        for (a, b) in zip(actual, expected) {
            let (a, b) = (Double(a), Double(b))
            difference += (a - b) * (a - b)
            length += b * b
        }
        let squared = difference / max(length, .leastNormalMagnitude)
        return squared.isFinite ? squared.squareRoot() : .infinity
    }

    /// Throws where `error` exceeds `tolerance`.
    static func require(_ error: Double, below tolerance: Double, _ what: String) throws {
        guard error < tolerance else {
            throw Failure(
                description: "\(what): error \(error.scientific), allowed \(tolerance.scientific)")
        }
    }
}

extension Checks {
    /// A model that a check takes a moment for.
    static var small: TransformerConfiguration {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
            contextTransitions: 4)
        configuration.binCount = 10
        configuration.layerCount = 2
        configuration.headCount = 2
        configuration.embeddingWidth = 32
        return configuration
    }

    /// ``small``, conditioned on a goal of two dimensions.
    static var smallWithGoals: TransformerConfiguration {
        var configuration = small
        configuration.goalDimension = 2
        return configuration
    }
}
