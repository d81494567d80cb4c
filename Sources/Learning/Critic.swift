import Bounds
import Safetensors
import Tensors
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What actions are worth: the discounted sum of rewards from a step on, as learnt from data.
///
/// Twin estimates of an action's value, the smaller of which counts, and the value of an
/// observation. In the units of the data's rewards.
public struct Critic: Sendable {
    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Weight of a reward one step later.
    public let discount: Double
    /// Canonical name of the environment of the data, where it is known.
    public var environment: String?
    /// How it was trained, for its file.
    public var record: [String: String] = [:]

    private let rewardScale: Double
    private let normalization: Normalization
    private let actionValues: [Network]
    private let stateValue: Network

    /// Rows that are computed at a time.
    private static let rowsAtATime = 512

    init(
        layout: TransitionLayout, discount: Double, rewardScale: Double,
        normalization: Normalization, actionValues: [Network], stateValue: Network
    ) {
        self.layout = layout
        self.discount = discount
        self.rewardScale = rewardScale
        self.normalization = normalization
        self.actionValues = actionValues
        self.stateValue = stateValue
    }

    /// The value of each action after the observation at the same place.
    public func values(observations: [[Double]], actions: [[Double]]) -> [Double] {
        precondition(observations.count == actions.count, "an action for each observation")
        let rows = zip(observations, actions).map { normalized($0) + $1.map(Float.init) }
        let estimates = actionValues.map { outputs(of: $0, rows: rows) }
        return zip(estimates[0], estimates[1]).map { min($0, $1) }
    }

    /// The value of an observation, whatever is done: that of a better action than usual in the
    /// data.
    public func value(of observation: [Double]) -> Double {
        outputs(of: stateValue, rows: [normalized(observation)])[0]
    }

    private func normalized(_ observation: [Double]) -> [Float] {
        precondition(
            observation.count == layout.observationDimension,
            "an observation of \(observation.count) numbers, expected "
                + "\(layout.observationDimension)")
        return observation.enumerated().map { normalization.apply(Float($1), column: $0) }
    }

    private func outputs(of network: Network, rows: [[Float]]) -> [Double] {
        guard let width = rows.first?.count else { return [] }
        let capacity = min(rows.count, Self.rowsAtATime)
        let pass = NetworkPass(network, rows: capacity, pool: .shared)
        let storage = FloatStorage(count: capacity * width)
        var result: [Double] = []
        for first in stride(from: 0, to: rows.count, by: capacity) {
            let part = rows[first..<min(first + capacity, rows.count)]
            storage.write(part.flatMap(\.self))
            let output = pass.output(
                of: storage.matrix(columns: width).rows(0..<part.count))
            result += output.values.map { Double($0) / rewardScale }
        }
        return result
    }

    // MARK: - Files

    private static let kind = "trajectory critic"

    /// Writes the critic as safetensors: both action values, the state value and the normalization.
    ///
    /// - Throws: ``LearningError`` when the file cannot be written.
    public func write(to url: URL) throws(LearningError) {
        var file = SafetensorsFile(name: url.path)
        for network in actionValues + [stateValue] { network.write(to: &file) }
        file.set("observation_mean", normalization.mean, shape: [normalization.mean.count])
        file.set(
            "observation_deviation", normalization.deviation,
            shape: [normalization.deviation.count])
        file.metadata = record.merging([
            "kind": Self.kind, "discount": "\(discount)", "reward_scale": "\(rewardScale)",
            "observation_dimension": "\(layout.observationDimension)",
            "action_dimension": "\(layout.actionDimension)",
        ]) { $1 }
        file.metadata["environment"] = environment
        do {
            try file.write(to: url)
        } catch {
            throw LearningError(.unwritableCritic, url.path, error.detail)
        }
    }

    /// Reads a critic that ``write(to:)`` wrote.
    ///
    /// - Throws: ``LearningError`` when the file is not one.
    public init(contentsOf url: URL) throws(LearningError) {
        func unreadable(_ detail: String) -> LearningError {
            LearningError(
                .unreadableCritic, url.path,
                "\(detail); give the file of a critic")
        }
        do {
            let file = try SafetensorsFile(contentsOf: url)
            guard file.metadata["kind"] == Self.kind else {
                throw unreadable("it holds something else")
            }
            try file.requireFinite()
            func number<Number: LosslessStringConvertible>(_ key: String) throws -> Number {
                guard let number = file.metadata[key].flatMap(Number.init) else {
                    throw unreadable("its '\(key)' is missing or no number")
                }
                return number
            }
            let (width, actionWidth): (Int, Int) = (
                try number("observation_dimension"), try number("action_dimension")
            )
            let (discount, scale): (Double, Double) = (
                try number("discount"), try number("reward_scale")
            )
            let mean = try file.floats("observation_mean")
            let deviation = try file.floats("observation_deviation")
            guard Bound.dimension.range.contains(width),
                Bound.dimension.range.contains(actionWidth), mean.count == width,
                deviation.count == width, scale > 0, scale.isFinite, 0...1 ~= discount
            else { throw unreadable("its sizes do not fit together") }
            var record = file.metadata
            for key in [
                "kind", "discount", "reward_scale", "observation_dimension", "action_dimension",
                "environment",
            ] { record[key] = nil }
            self.init(
                layout: TransitionLayout(
                    observationDimension: width, actionDimension: actionWidth),
                discount: discount, rewardScale: scale,
                normalization: Normalization(mean: mean, deviation: deviation),
                actionValues: try ["q1", "q2"].map {
                    try Network(name: $0, inputs: width + actionWidth, outputs: 1, file: file)
                },
                stateValue: try Network(name: "v", inputs: width, outputs: 1, file: file))
            self.record = record
            environment = file.metadata["environment"]
        } catch let error as LearningError {
            throw error
        } catch {
            throw unreadable("\(error)")
        }
    }

    /// Checks that the critic is for transitions of `layout`, those of `name`; `file` names the
    /// critic in messages.
    ///
    /// - Throws: ``LearningError`` with both sizes when it is not.
    public func requireMatch(
        _ layout: TransitionLayout, of name: String, file: String
    ) throws(LearningError) {
        guard layout != self.layout else { return }
        throw LearningError(
            .unsuitableCritic, file,
            "it takes \(self.layout.observationDimension) observation and "
                + "\(self.layout.actionDimension) action numbers, made for "
                + "\(environment ?? "another environment"); \(name) has "
                + "\(layout.observationDimension) and \(layout.actionDimension)")
    }
}
