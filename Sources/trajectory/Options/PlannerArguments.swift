public import ArgumentParser
public import Planning
import Tokenization

extension PlannerOptions.Objective: ExpressibleByArgument {
    private static let imitationName = "imitation"

    /// An objective by its own name or by `imitation`.
    public init?(argument: String) {
        self.init(rawValue: argument == Self.imitationName ? Self.imitation.rawValue : argument)
    }

    /// All names.
    public static var allValueStrings: [String] { allCases.map(\.rawValue) + [imitationName] }
}

extension PlannerOptions.Window: ExpressibleByArgument {}

extension PlannerOptions.Preset: ExpressibleByArgument {}

/// A number, or `all` where nothing is to be left out.
struct Limit<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument, Sendable {
    let value: Number?

    init(_ value: Number?) {
        self.value = value
    }

    init?(argument: String) {
        if argument == "all" {
            value = nil
        } else if let number = Number(argument) {
            value = number
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { value.map { "\($0)" } ?? "all" }
}

/// `mean`, or a percentile as a fraction.
enum ReadoutArgument: ExpressibleByArgument {
    case mean
    case percentile(Double)

    init?(argument: String) {
        if argument == "mean" {
            self = .mean
        } else if let fraction = Double(argument) {
            self = .percentile(fraction)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .mean: "mean"
        case .percentile(let fraction): "\(fraction)"
        }
    }
}
