import Bounds
import RandomNumbers
import Safetensors
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// An ensemble of probabilistic single-step models: s' = s + N(μ(s, a), σ²(s, a)).
///
/// Several networks, each trained on its own resampling of the data; a prediction follows one
/// network throughout and draws each change from its distribution (PETS, "TS∞": Chua et al. 2018,
/// "Deep Reinforcement Learning in a Handful of Trials using Probabilistic Dynamics Models", arXiv
/// 1805.12114). Observations are kept within ten standard deviations of the data, so that a
/// prediction that runs away stays a number.
public struct DynamicsEnsemble: Sendable {
    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Number of networks.
    public var memberCount: Int { members.count }

    /// The probability with which numbers of its data were hidden; 0 where all were seen.
    public let hidden: Double

    let members: [DynamicsNetwork]
    let scaling: Scaling

    /// What standardizes inputs and changes.
    struct Scaling: Sendable, Equatable {
        var inputs, changes: Normalization
    }

    init(
        layout: TransitionLayout, members: [DynamicsNetwork], scaling: Scaling, hidden: Double = 0
    ) {
        self.layout = layout
        self.members = members
        self.scaling = scaling
        self.hidden = hidden
    }

    /// Numbers that a network is given: observation, action, and what is hidden where some are.
    static func inputWidth(_ layout: TransitionLayout, hides: Bool) -> Int {
        (hides ? 2 : 1) * layout.observationDimension + layout.actionDimension
    }

    /// A trajectory to be predicted: how it begins, and which actions follow.
    public struct Beginning: Sendable, Hashable {
        /// The observation to start from.
        public var observation: [Double]
        /// One action for each step.
        public var actions: [[Double]]
        /// Dimensions of the observation that are hidden from the networks.
        public var hidden: Set<Int>

        /// Creates a beginning.
        public init(observation: [Double], actions: [[Double]], hidden: Set<Int> = []) {
            self.observation = observation
            self.actions = actions
            self.hidden = hidden
        }
    }

    /// How a prediction distributes the next observation, before a number is drawn from it: a
    /// normal distribution of each dimension, in the observation's units.
    public struct Distribution: Sendable {
        /// The number of the beginning, of the prediction, and steps after the beginning, from 0.
        public let beginning, sample, step: Int
        /// Mean and standard deviation of each dimension.
        public let mean, deviation: [Double]
    }

    /// Predicts a trajectory from an observation and the actions that follow.
    ///
    /// - Returns: For each prediction, the observations after 1, 2, … steps.
    public func predict(
        from observation: [Double], actions: [[Double]], samples: Int, seed: UInt64
    ) -> [[[Double]]] {
        predict(
            [Beginning(observation: observation, actions: actions)], samples: samples, seed: seed)[
                0]
    }

    /// Predicts trajectories, each as if it were alone.
    ///
    /// - Parameters:
    ///   - beginnings: Trajectories with equally many actions.
    ///   - samples: Predictions to make of each; prediction `i` follows network `i mod
    ///     memberCount`.
    ///   - seed: Fixes what is drawn.
    ///   - observe: Given the distribution that each step is drawn from, in no certain order.
    /// - Returns: For each trajectory and prediction, the observations after 1, 2, … steps.
    public func predict(
        _ beginnings: [Beginning], samples: Int, seed: UInt64,
        observe: (Distribution) -> Void = { _ in }
    ) -> [[[[Double]]]] {
        let horizon = beginnings.first?.actions.count ?? 0
        for beginning in beginnings {
            precondition(
                beginning.observation.count == layout.observationDimension
                    && beginning.actions.count == horizon
                    && beginning.actions.allSatisfy { $0.count == layout.actionDimension },
                "an observation of \(beginning.observation.count) numbers, "
                    + "\(beginning.actions.count) actions for \(horizon) steps")
        }
        precondition(samples > 0, "\(samples) samples")
        var result = Array(
            repeating: Array(repeating: [[Double]](), count: samples), count: beginnings.count)
        for (index, member) in members.enumerated() {
            // Whatever follows this network shares its passes.
            var rows = beginnings.enumerated().flatMap { place, beginning in
                stride(from: index, to: samples, by: members.count).map {
                    Row(place, beginning, sample: $0, seed: seed)
                }
            }
            guard !rows.isEmpty else { continue }
            for step in 0..<horizon {
                let changes = member.predict(
                    rows.flatMap { input(of: $0, beginnings[$0.beginning].actions[step]) })
                for row in rows.indices {
                    let (mean, deviation) = rows[row].move(
                        by: changes, row: row, scaling, hidden: hidden)
                    observe(
                        Distribution(
                            beginning: rows[row].beginning, sample: rows[row].sample, step: step,
                            mean: mean, deviation: deviation))
                    result[rows[row].beginning][rows[row].sample].append(
                        rows[row].present.map(Double.init))
                }
            }
        }
        return result
    }

    /// A prediction under way.
    private struct Row {
        let beginning, sample: Int
        var present: [Float]
        /// Dimensions of it that its network does not see.
        private(set) var hidden: Set<Int>
        private var generator: SplitMix64

        init(_ place: Int, _ beginning: Beginning, sample: Int, seed: UInt64) {
            self.beginning = place
            self.sample = sample
            present = beginning.observation.map(Float.init)
            hidden = beginning.hidden
            generator = SplitMix64(seed: seed &+ UInt64(sample) &* 0x9E37_79B9)
        }

        /// Draws the change of row `row` and goes there, where each number is hidden with
        /// probability `probability`; returns the distribution of where it goes.
        mutating func move(
            by changes: (mean: [Float], deviation: [Float]), row: Int, _ scaling: Scaling,
            hidden probability: Double
        ) -> (mean: [Double], deviation: [Double]) {
            let start = row * present.count
            // What is hidden changes from the mean, as in training.
            for index in hidden { present[index] = scaling.inputs.mean[index] }
            let mean = present.indices.map {
                Double(
                    present[$0] + changes.mean[start + $0] * scaling.changes.deviation[$0]
                        + scaling.changes.mean[$0])
            }
            let deviation = present.indices.map {
                Double(changes.deviation[start + $0] * scaling.changes.deviation[$0])
            }
            for index in present.indices {
                let change =
                    changes.mean[start + index]
                    + changes.deviation[start + index] * Float(generator.normal())
                let next =
                    present[index] + change * scaling.changes.deviation[index]
                    + scaling.changes.mean[index]
                let (center, reach) = (
                    scaling.inputs.mean[index], 10 * scaling.inputs.deviation[index]
                )
                present[index] = min(max(next, center - reach), center + reach)
            }
            if probability > 0 {
                hidden = Set(present.indices.filter { _ in generator.uniform() < probability })
            }
            return (mean, deviation)
        }
    }

    /// What a network is given, standardized.
    private func input(of row: Row, _ action: [Double]) -> [Float] {
        var input = row.present + action.map(Float.init)
        for index in row.hidden { input[index] = scaling.inputs.mean[index] }
        if hidden > 0 {
            input += row.present.indices.map { row.hidden.contains($0) ? 1 : 0 }
        }
        return input.indices.map { scaling.inputs.apply(input[$0], column: $0) }
    }
}

// MARK: - Files

extension DynamicsEnsemble {
    /// Reads an ensemble that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: ``LearningError`` when the file is not one.
    public init(contentsOf url: URL) throws(LearningError) {
        do {
            let file = try SafetensorsFile(contentsOf: url)
            try file.requireFinite()
            func number(_ key: String) -> Int? { file.metadata[key].flatMap { Int($0) } }
            guard let observation = number("observation_dimension"),
                Bound.dimension.range.contains(observation),
                let action = number("action_dimension"), Bound.dimension.range.contains(action),
                let count = number("members"), 1...1000 ~= count
            else {
                throw LearningError(
                    .unreadableDynamics, url.path, "it is no dynamics model; give the file of one")
            }
            func normalization(_ name: String, width: Int) throws -> Normalization {
                let rows = try ["mean", "deviation"].map { try file.floats("\(name)_\($0)") }
                guard rows.allSatisfy({ $0.count == width }) else {
                    throw LearningError(
                        .unreadableDynamics, url.path,
                        "'\(name)_mean' or '\(name)_deviation' has not the \(width) numbers it "
                            + "should have; the file is damaged")
                }
                return Normalization(mean: rows[0], deviation: rows[1])
            }
            layout = TransitionLayout(observationDimension: observation, actionDimension: action)
            hidden = Double(file.metadata["hidden"] ?? "0") ?? 0
            guard hidden == 0 || Hiding(probability: hidden).problem == nil else {
                throw LearningError(
                    .unreadableDynamics, url.path,
                    "'hidden' is \(hidden), where a probability is expected; the file is damaged")
            }
            let inputs = Self.inputWidth(layout, hides: hidden > 0)
            scaling = Scaling(
                inputs: try normalization("input", width: inputs),
                changes: try normalization("change", width: observation))
            members = try (0..<count).map { index in
                DynamicsNetwork(
                    try Network(
                        name: Self.name(ofMember: index), inputs: inputs,
                        outputs: 2 * observation, file: file))
            }
        } catch let error as LearningError {
            throw error
        } catch {
            throw LearningError(.unreadableDynamics, url.path, "\(error)")
        }
    }

    /// What the network `index` is called in a file.
    static func name(ofMember index: Int) -> String { "member.\(index)" }

    /// Writes the ensemble as safetensors, with `metadata` beside it, atomically.
    ///
    /// - Throws: ``LearningError`` when the file cannot be written.
    public func write(to url: URL, metadata: [String: String] = [:]) throws(LearningError) {
        var file = SafetensorsFile(name: url.path)
        file.metadata = metadata.merging([
            "observation_dimension": "\(layout.observationDimension)",
            "action_dimension": "\(layout.actionDimension)", "members": "\(members.count)",
        ]) { $1 }
        if hidden > 0 { file.metadata["hidden"] = "\(hidden)" }
        for (name, normalization) in [("input", scaling.inputs), ("change", scaling.changes)] {
            let shape = [normalization.mean.count]
            file.set("\(name)_mean", normalization.mean, shape: shape)
            file.set("\(name)_deviation", normalization.deviation, shape: shape)
        }
        for member in members { member.network.write(to: &file) }
        do {
            try file.write(to: url)
        } catch {
            throw LearningError(.unwritableDynamics, url.path, error.detail)
        }
    }
}
