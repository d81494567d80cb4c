public import ArgumentParser
import CUDA
import Trajectories
public import Transformer
import TransformerCUDA

extension Precision: ExpressibleByArgument {}

/// The shapes of the paper's environments.
enum DeviceShape: String, CaseIterable, ExpressibleByArgument {
    case hopper, halfcheetah

    /// The paper's configuration for this environment: ten transitions of context.
    var configuration: TransformerConfiguration {
        TransformerConfiguration(
            layout: self == .hopper
                ? TransitionLayout(observationDimension: 11, actionDimension: 3)
                : TransitionLayout(observationDimension: 17, actionDimension: 6))
    }
}

/// Which card.
struct DeviceOptions: ParsableArguments {
    @Option(help: "The card's number.")
    var card = 0

    /// Opens the card.
    func open() throws -> Device { try Device(index: card) }
}

extension Double {
    /// The number with so many digits behind the point.
    func digits(_ count: Int) -> String {
        var scale = 1.0
        for _ in 0..<count { scale *= 10 }
        guard isFinite, magnitude < 1e15 else { return "\(self)" }
        let whole = (magnitude * scale).rounded()
        var digits = String(Int(whole))
        while digits.count <= count { digits = "0" + digits }
        let sign = self < 0 && whole > 0 ? "-" : ""
        guard count > 0 else { return sign + digits }
        return sign + digits.dropLast(count) + "." + digits.suffix(count)
    }

    /// The number in powers of ten, two digits.
    var scientific: String {
        guard self != 0, isFinite else { return "\(self)" }
        var exponent = 0
        var mantissa = magnitude
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        return "\(self < 0 ? "-" : "")\(mantissa.digits(1))e\(exponent)"
    }
}
