public import Episodes
public import RandomNumbers
import Safetensors
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A perceptron over normalized observations, for policies that were learnt from data.
///
///     x₀ = (input - mean) / deviation;  xₗ₊₁ = activation(xₗ Wₗᵀ + bₗ)
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

        var dense: DenseLayer { DenseLayer(weights: weights[...], biases: biases[...]) }
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
    /// What follows the hidden layers.
    public let activation: PolicyActivation

    private let dense: [DenseLayer]

    /// Creates a policy whose outputs span the action limits, or `actionRanges` where these are
    /// given; sizes fit together.
    public init(
        layout: TransitionLayout, goalColumns: [Int] = [], actionLimits: [ClosedRange<Double>],
        mean: [Float], deviation: [Float], layers: [Layer], activation: PolicyActivation = .gelu,
        actionRanges: [ClosedRange<Double>]? = nil
    ) {
        precondition(
            Self.fit(layout, goalColumns, mean, deviation, layers),
            "layers that do not fit \(layout) and goals in \(goalColumns)")
        precondition(actionLimits.count == layout.actionDimension, "limits for each action")
        self.layout = layout
        self.goalColumns = goalColumns
        self.actionLimits = actionLimits
        self.actionRanges = actionRanges ?? actionLimits
        self.mean = mean
        self.deviation = deviation
        self.layers = layers
        self.activation = activation
        dense = layers.map(\.dense)
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
        let normalized = input.indices.map { (Float(input[$0]) - mean[$0]) / deviation[$0] }
        let numbers = DenseLayer.output(of: dense, for: normalized, activation: activation)
        return numbers.indices.map { index in
            let (range, limits) = (actionRanges[index], actionLimits[index])
            let half = (range.upperBound - range.lowerBound) / 2
            let action = range.lowerBound + half * (1 + tanh(Double(numbers[index])))
            return limits.clamp(action)
        }
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
        file.metadata = metadata.merging(["kind": Self.kind]) { $1 }
        PerceptronFile.set(actionRanges, activation, in: &file)
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
        do {
            let file = try SafetensorsFile(contentsOf: url)
            guard Self.isDescribed(by: file.metadata) else {
                throw PerceptronFile.unreadable(url, "it holds something else")
            }
            let read = try PerceptronFile(file, url: url)
            let layout = specification.layout
            let columns = file.metadata[Self.goalKey]?.split(separator: ",").map { Int($0) } ?? []
            let goalColumns = columns.compactMap(\.self)
            let (mean, deviation) = (try file.floats("mean"), try file.floats("deviation"))
            let observed = mean.count - columns.count
            guard goalColumns.count == columns.count, observed > 0,
                goalColumns.allSatisfy({ 0 <= $0 && $0 < observed })
            else {
                throw PerceptronFile.unreadable(
                    url, "its goal columns are not those of an observation")
            }
            try read.requireFit(
                specification, observed: observed, acted: read.sizes[read.sizes.count - 1])
            guard goalColumns.isEmpty || goalColumns == specification.goalColumns else {
                let present = specification.goalColumns.map { "them in \(Self.list($0))" }
                throw PolicyError(
                    code: .unsuitablePolicy, subject: url.path,
                    detail: "it was trained to reach goals in columns \(Self.list(goalColumns)) of "
                        + "the observation, made for \(read.madeFor); "
                        + "\(specification.identifier) has "
                        + (present ?? "none that it observes"))
            }
            let layers = PerceptronFile.ranges(read.sizes).map {
                Layer(
                    weights: Array(read.parameters[$0.weights]),
                    biases: Array(read.parameters[$0.biases]))
            }
            guard Self.fit(layout, goalColumns, mean, deviation, layers) else {
                throw PerceptronFile.unreadable(url, "its sizes do not fit together")
            }
            // Files of before there was a choice name no activation.
            self.init(
                layout: layout, goalColumns: goalColumns,
                actionLimits: specification.actionLimits, mean: mean, deviation: deviation,
                layers: layers, activation: try read.activation(unnamed: .gelu),
                actionRanges: try read.actionRanges(layout.actionDimension))
        } catch let error as PolicyError {
            throw error
        } catch {
            throw PerceptronFile.unreadable(url, "\(error)")
        }
    }
}
