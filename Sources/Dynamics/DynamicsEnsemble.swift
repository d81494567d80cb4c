public import Foundation
internal import RandomNumbers
internal import Safetensors
public import Trajectories

/// An ensemble of probabilistic single-step models: s' = s + N(μ(s, a), σ²(s, a)).
///
/// Several networks, each trained on its own resampling of the data; a prediction follows one network
/// throughout and draws each change from its distribution (PETS, "TS∞": Chua et al. 2018, "Deep
/// Reinforcement Learning in a Handful of Trials using Probabilistic Dynamics Models", arXiv
/// 1805.12114). Observations are kept within ten standard deviations of the data, so that a
/// prediction that runs away stays a number.
public struct DynamicsEnsemble: Sendable {
    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Sizes of the hidden layers.
    public let hidden: [Int]
    /// Number of networks.
    public var memberCount: Int { members.count }

    let members: [DynamicsMember]
    let scaling: Scaling

    /// What standardizes inputs and changes.
    struct Scaling: Sendable, Equatable {
        var inputMean, inputDeviation: [Float]
        var changeMean, changeDeviation: [Float]
    }

    init(layout: TransitionLayout, hidden: [Int], members: [DynamicsMember], scaling: Scaling) {
        self.layout = layout
        self.hidden = hidden
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
    ///   - samples: Predictions to make of each; prediction `i` follows network `i mod memberCount`.
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
                    present[index] + change * scaling.changeDeviation[index]
                    + scaling.changeMean[index]
                let (centre, reach) = (scaling.inputMean[index], 10 * scaling.inputDeviation[index])
                present[index] = min(max(next, centre - reach), centre + reach)
            }
        }
    }

    private func standardized(_ input: [Float]) -> [Float] {
        input.indices.map {
            (input[$0] - scaling.inputMean[$0]) / scaling.inputDeviation[$0]
        }
    }
}

// MARK: - Files

extension DynamicsEnsemble {
    /// Why a file of an ensemble could not be used.
    public struct FileError: Error, CustomStringConvertible, Sendable {
        /// The file.
        public let file: String
        /// What is wrong and what to do.
        public let detail: String

        /// One line: what, where, what to do.
        public var description: String { "cannot use the dynamics model '\(file)': \(detail)" }
    }

    /// Reads an ensemble that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: ``FileError`` when the file is not one.
    public init(contentsOf url: URL) throws(FileError) {
        do {
            let file = try SafetensorsFile(contentsOf: url)
            func number(_ key: String) -> Int? { file.metadata[key].flatMap { Int($0) } }
            let hidden = file.metadata["hidden"]?.split(separator: ",").compactMap { Int($0) }
            guard let observation = number("observation_dimension"), observation > 0,
                let action = number("action_dimension"), action > 0,
                let count = number("members"), 1...1000 ~= count, let hidden,
                hidden.allSatisfy({ 1...65536 ~= $0 })
            else {
                throw FileError(
                    file: url.path,
                    detail: "it is no dynamics model; give a file that `trajectory train-dynamics` "
                        + "wrote")
            }
            func row(_ key: String, _ count: Int) throws -> [Float] {
                let values = try file.floats(key)
                guard values.count == count else {
                    throw FileError(
                        file: url.path,
                        detail: "'\(key)' has \(values.count) numbers where \(count) are expected; "
                            + "the file is damaged")
                }
                return values
            }
            layout = TransitionLayout(observationDimension: observation, actionDimension: action)
            self.hidden = hidden
            scaling = Scaling(
                inputMean: try row("input_mean", observation + action),
                inputDeviation: try row("input_deviation", observation + action),
                changeMean: try row("change_mean", observation),
                changeDeviation: try row("change_deviation", observation))
            members = try (0..<count).map { index in
                let member = DynamicsMember(
                    inputs: observation + action, dimension: observation, hidden: hidden)
                try member.load { try row("member.\(index).\($0)", $1) }
                return member
            }
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(file: url.path, detail: "\(error)")
        }
    }

    /// Writes the ensemble as safetensors, with `metadata` beside it, atomically.
    ///
    /// - Throws: ``FileError`` when the file cannot be written.
    public func write(to url: URL, metadata: [String: String] = [:]) throws(FileError) {
        var file = SafetensorsFile(name: url.path)
        file.metadata = metadata.merging([
            "observation_dimension": "\(layout.observationDimension)",
            "action_dimension": "\(layout.actionDimension)", "members": "\(members.count)",
            "hidden": hidden.map(String.init).joined(separator: ","),
        ]) { $1 }
        for (key, values) in [
            ("input_mean", scaling.inputMean), ("input_deviation", scaling.inputDeviation),
            ("change_mean", scaling.changeMean), ("change_deviation", scaling.changeDeviation),
        ] {
            file.set(key, values, shape: [values.count])
        }
        for (index, member) in members.enumerated() {
            for tensor in member.tensors {
                file.set("member.\(index).\(tensor.name)", tensor.values, shape: tensor.shape)
            }
        }
        do {
            try file.write(to: url)
        } catch {
            throw FileError(file: url.path, detail: error.detail)
        }
    }
}
