import Environments
import Foundation

extension PCG64 {
    /// A standard normal number, by the method of Box and Muller; takes two draws.
    package mutating func normal() -> Double {
        // 1 - unit() is in (0, 1], so that the logarithm is finite.
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
}
