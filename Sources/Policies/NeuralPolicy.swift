public import Episodes
public import Foundation
public import RandomNumbers
import Safetensors
public import Trajectories

/// A perceptron over normalized observations, for policies that were learnt from data.
///
///     x₀ = (input - mean) / deviation;  xₗ₊₁ = gelu(xₗ Wₗᵀ + bₗ)
///     action = centre + half width · tanh(x_last Wᵀ + b), clipped to the action limits
///
/// The input is the observation, and after it the goal, if the policy was trained to reach goals.
/// Centre and half width are those of the action limits in training.
public struct NeuralPolicy: Policy, Equatable {
    /// A dense layer.
    public struct Layer: Sendable, Equatable {
        /// Weights, outputs × inputs, row after row.
        public let weights: [Float]
        /// One for each output.
        public let biases: [Float]

        /// Creates a layer.
        public init(weights: [Float], biases: [Float]) {
            precondition(
                !biases.isEmpty && weights.count % biases.count == 0,
                "\(weights.count) weights for \(biases.count) outputs")
            self.weights = weights
            self.biases = biases
        }

        var inputs: Int { weights.count / biases.count }
    }

    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Columns of the observation that make up a goal; empty for a policy without goals.
    public let goalColumns: [Int]
    /// What an output of -1 to 1 stands for.
    public let actionRanges: [ClosedRange<Double>]
    /// Limits to which actions are clipped.
    public let actionLimits: [ClosedRange<Double>]
    /// Subtracted from the input.
    public let mean: [Float]
    /// Divides the input.
    public let deviation: [Float]
    /// The layers, first to last.
    public let layers: [Layer]

    /// Creates a policy whose outputs span the action limits; sizes fit together.
    public init(
        layout: TransitionLayout, goalColumns: [Int] = [], actionLimits: [ClosedRange<Double>],
        mean: [Float], deviation: [Float], layers: [Layer]
    ) {
        precondition(
            Self.fit(layout, goalColumns, mean, deviation, layers),
            "layers that do not fit \(layout) and goals in \(goalColumns)")
        precondition(actionLimits.count == layout.actionDimension, "limits for each action")
        self.layout = layout
        self.goalColumns = goalColumns
        self.actionLimits = actionLimits
        actionRanges = actionLimits
        self.mean = mean
        self.deviation = deviation
        self.layers = layers
    }

    private static func fit(
        _ layout: TransitionLayout, _ goalColumns: [Int], _ mean: [Float], _ deviation: [Float],
        _ layers: [Layer]
    ) -> Bool {
        let inputs = [layout.observationDimension + goalColumns.count] + layers.map(\.biases.count)
        return !layers.isEmpty && mean.count == inputs[0] && deviation.count == inputs[0]
            && zip(layers, inputs).allSatisfy { $0.inputs == $1 }
            && inputs[inputs.count - 1] == layout.actionDimension
    }

    /// The action for `input`, an observation and perhaps a goal; nothing is drawn.
    public func action(for input: [Double], using generator: inout PCG64) -> [Double] {
        var numbers = input.indices.map { (Float(input[$0]) - mean[$0]) / deviation[$0] }
        for (index, layer) in layers.enumerated() {
            if index > 0 { numbers = numbers.map(Self.gelu) }
            numbers = layer.biases.indices.map { row in
                var sum = layer.biases[row]
                let first = row * numbers.count
                for column in numbers.indices {
                    sum += layer.weights[first + column] * numbers[column]
                }
                return sum
            }
        }
        return numbers.indices.map { index in
            let (range, limits) = (actionRanges[index], actionLimits[index])
            let half = (range.upperBound - range.lowerBound) / 2
            let action = range.lowerBound + half * (1 + tanh(Double(numbers[index])))
            return limits.clamp(action)
        }
    }

    private static func gelu(_ x: Float) -> Float {
        x * (1 + erf(x / Float(2).squareRoot())) / 2
    }

    // MARK: - Files

    private static let kind = "neural policy"
    private static let goalKey = "goal_columns"

    /// Whether a file with this metadata holds such a policy rather than a ``LinearPolicy``.
    static func isDescribed(by metadata: [String: String]) -> Bool { metadata["kind"] == kind }

    /// Writes the policy as safetensors, with `metadata` beside it.
    ///
    /// - Throws: ``PolicyError`` when the file cannot be written.
    public func write(to url: URL, metadata: [String: String] = [:]) throws(PolicyError) {
        var file = SafetensorsFile(name: url.path)
        for (index, layer) in layers.enumerated() {
            file.set(
                "layers.\(index).weight", layer.weights,
                shape: [layer.biases.count, layer.inputs])
            file.set("layers.\(index).bias", layer.biases, shape: [layer.biases.count])
        }
        file.set("mean", mean, shape: [mean.count])
        file.set("deviation", deviation, shape: [deviation.count])
        file.set(
            "action_range", actionRanges.flatMap { [$0.lowerBound, $0.upperBound] },
            shape: [actionRanges.count, 2])
        file.metadata = metadata.merging(["kind": Self.kind]) { $1 }
        if !goalColumns.isEmpty { file.metadata[Self.goalKey] = Self.list(goalColumns) }
        do {
            try file.write(to: url)
        } catch {
            throw PolicyError(
                code: .unwritablePolicy, subject: url.path, detail: error.detail)
        }
    }

    private static func list(_ columns: [Int]) -> String {
        columns.map(String.init).joined(separator: ",")
    }

    /// Reads a policy that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: ``PolicyError`` when the file is not one, or was made for other sizes or goals.
    public init(contentsOf url: URL, for specification: EnvironmentSpecification)
        throws(PolicyError)
    {
        func unreadable(_ detail: String) -> PolicyError {
            PolicyError(
                code: .unreadablePolicy, subject: url.path,
                detail: "\(detail); give the file of a policy that was learnt")
        }
        do {
            let file = try SafetensorsFile(contentsOf: url)
            try file.requireFinite()
            mean = try file.floats("mean")
            deviation = try file.floats("deviation")
            var layers: [Layer] = []
            while file.tensors["layers.\(layers.count).weight"] != nil {
                let weights = try file.floats("layers.\(layers.count).weight")
                let biases = try file.floats("layers.\(layers.count).bias")
                guard !biases.isEmpty, weights.count % biases.count == 0 else {
                    throw unreadable("its layer \(layers.count) has no whole rows")
                }
                layers.append(Layer(weights: weights, biases: biases))
            }
            guard !layers.isEmpty else { throw unreadable("it has no layers") }
            self.layers = layers
            layout = specification.layout
            actionLimits = specification.actionLimits
            let columns = file.metadata[Self.goalKey]?.split(separator: ",").map { Int($0) } ?? []
            goalColumns = columns.compactMap(\.self)
            let observed = mean.count - columns.count
            let made = file.metadata["environment"] ?? "another environment"
            guard goalColumns.count == columns.count, observed > 0,
                goalColumns.allSatisfy({ 0 <= $0 && $0 < observed })
            else { throw unreadable("its goal columns are not those of an observation") }
            guard layers.last?.biases.count == layout.actionDimension,
                observed == layout.observationDimension
            else {
                throw PolicyError(
                    code: .unsuitablePolicy, subject: url.path,
                    detail: "it takes \(observed) observation and gives "
                        + "\(layers.last?.biases.count ?? 0) action numbers, made for \(made); "
                        + "\(specification.identifier) has \(layout.observationDimension) and "
                        + "\(layout.actionDimension)")
            }
            guard goalColumns.isEmpty || goalColumns == specification.goalColumns else {
                let present = specification.goalColumns.map { "them in \(Self.list($0))" }
                throw PolicyError(
                    code: .unsuitablePolicy, subject: url.path,
                    detail: "it was trained to reach goals in columns \(Self.list(goalColumns)) of "
                        + "the observation, made for \(made); \(specification.identifier) has "
                        + (present ?? "none that it observes"))
            }
            let ranges = try file.doubles("action_range")
            guard ranges.count == 2 * layout.actionDimension,
                stride(from: 0, to: ranges.count, by: 2).allSatisfy({ ranges[$0] <= ranges[$0 + 1] }
                ),
                Self.fit(layout, goalColumns, mean, deviation, layers)
            else { throw unreadable("its sizes do not fit together") }
            actionRanges = stride(from: 0, to: ranges.count, by: 2).map {
                ranges[$0]...ranges[$0 + 1]
            }
        } catch let error as PolicyError {
            throw error
        } catch {
            throw unreadable("\(error)")
        }
    }
}
