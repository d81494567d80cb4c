public import Episodes
public import RandomNumbers
import Safetensors
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A linear policy over normalized observations, clipped to the action limits.
///
///     action = clip(weights · (observation - mean) / deviation)
///
/// Shapes: `weights` A × O, row after row; `mean`, `deviation` O. This is the policy class V2 of
/// Mania, Guy and Recht, "Simple random search provides a competitive approach to reinforcement
/// learning", 2018, arXiv 1803.07055.
public struct LinearPolicy: Policy, Equatable {
    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Limits of each action.
    public let actionLimits: [ClosedRange<Double>]
    /// Weights, A × O, row after row.
    public var weights: [Double]
    /// Subtracted from the observation.
    public var mean: [Double]
    /// Divides the observation.
    public var deviation: [Double]

    /// The zero policy of an environment, which does nothing.
    public init(_ specification: EnvironmentSpecification) {
        layout = specification.layout
        actionLimits = specification.actionLimits
        weights = Array(
            repeating: 0, count: layout.actionDimension * layout.observationDimension)
        mean = Array(repeating: 0, count: layout.observationDimension)
        deviation = Array(repeating: 1, count: layout.observationDimension)
    }

    /// The action for `observation`; nothing is drawn.
    public func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        let width = layout.observationDimension
        let normalized = (0..<width).map { (observation[$0] - mean[$0]) / deviation[$0] }
        return actionLimits.enumerated().map { row, limits in
            var sum = 0.0
            for column in 0..<width { sum += weights[row * width + column] * normalized[column] }
            return limits.clamp(sum)
        }
    }

    // MARK: - Files

    /// Reads a policy that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: ``PolicyError`` when the file is not one or was made for other sizes.
    public init(contentsOf url: URL, for specification: EnvironmentSpecification)
        throws(PolicyError)
    {
        self.init(specification)
        do {
            let file = try SafetensorsFile(contentsOf: url)
            try file.requireFinite()
            let made = file.metadata["environment"] ?? "another environment"
            let shape = try file.shape(of: "weights")
            guard shape == [layout.actionDimension, layout.observationDimension],
                try file.shape(of: "mean") == [layout.observationDimension],
                try file.shape(of: "deviation") == [layout.observationDimension]
            else {
                throw PolicyError(
                    code: .unsuitablePolicy, subject: url.path,
                    detail: "its weights have shape \(shape), made for \(made); "
                        + "\(specification.identifier) needs [\(layout.actionDimension), "
                        + "\(layout.observationDimension)]")
            }
            weights = try file.doubles("weights")
            mean = try file.doubles("mean")
            deviation = try file.doubles("deviation")
        } catch let error as PolicyError {
            throw error
        } catch {
            throw PolicyError(
                code: .unreadablePolicy, subject: url.path,
                detail: "\(error); give the file of a policy"
            )
        }
    }

    /// What was written beside a policy, such as how it was trained.
    ///
    /// - Throws: ``PolicyError`` when the file cannot be read.
    public static func metadata(ofFile url: URL) throws(PolicyError) -> [String: String] {
        do {
            return try SafetensorsFile(contentsOf: url).metadata
        } catch {
            throw PolicyError(code: .unreadablePolicy, subject: url.path, detail: "\(error)")
        }
    }

    /// Writes the policy as safetensors, with `metadata` beside it.
    ///
    /// - Throws: ``PolicyError`` when the file cannot be written.
    public func write(to url: URL, metadata: [String: String] = [:]) throws(PolicyError) {
        var file = SafetensorsFile(name: url.path)
        file.set(
            "weights", weights, shape: [layout.actionDimension, layout.observationDimension])
        file.set("mean", mean, shape: [mean.count])
        file.set("deviation", deviation, shape: [deviation.count])
        file.metadata = metadata
        do {
            try file.write(to: url)
        } catch {
            throw PolicyError(
                code: .unwritablePolicy, subject: url.path, detail: error.detail)
        }
    }
}
