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

    let members: [DynamicsNetwork]
    let scaling: Scaling

    /// What standardizes inputs and changes.
    struct Scaling: Sendable, Equatable {
        var inputs, changes: Normalization
    }

    init(layout: TransitionLayout, members: [DynamicsNetwork], scaling: Scaling) {
        self.layout = layout
        self.members = members
        self.scaling = scaling
    }

    /// A trajectory to be predicted: how it begins, and which actions follow.
    public struct Beginning: Sendable, Hashable {
        /// The observation to start from.
        public var observation: [Double]
        /// One action for each step.
        public var actions: [[Double]]

        /// Creates a beginning.
        public init(observation: [Double], actions: [[Double]]) {
            self.observation = observation
            self.actions = actions
        }
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
    /// - Returns: For each trajectory and prediction, the observations after 1, 2, … steps.
    public func predict(_ beginnings: [Beginning], samples: Int, seed: UInt64) -> [[[[Double]]]] {
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
                    Row(
                        beginning: place, sample: $0,
                        present: beginning.observation.map(Float.init), seed: seed)
                }
            }
            guard !rows.isEmpty else { continue }
            for step in 0..<horizon {
                let changes = member.predict(
                    rows.flatMap {
                        standardized(
                            $0.present + beginnings[$0.beginning].actions[step].map(Float.init))
                    })
                for row in rows.indices {
                    rows[row].move(by: changes, row: row, scaling)
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
        private var generator: SplitMix64

        init(beginning: Int, sample: Int, present: [Float], seed: UInt64) {
            self.beginning = beginning
            self.sample = sample
            self.present = present
            generator = SplitMix64(seed: seed &+ UInt64(sample) &* 0x9E37_79B9)
        }

        /// Draws the change of row `row` and goes there.
        mutating func move(
            by changes: (mean: [Float], deviation: [Float]), row: Int, _ scaling: Scaling
        ) {
            let start = row * present.count
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
        }
    }

    private func standardized(_ input: [Float]) -> [Float] {
        input.indices.map { scaling.inputs.apply(input[$0], column: $0) }
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
            scaling = Scaling(
                inputs: try normalization("input", width: observation + action),
                changes: try normalization("change", width: observation))
            members = try (0..<count).map { index in
                DynamicsNetwork(
                    try Network(
                        name: Self.name(ofMember: index), inputs: observation + action,
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
