import Episodes
import Safetensors
import Trajectories

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the files of policies that are perceptrons have in common: layers, and ranges of actions.
struct PerceptronFile {
    /// Numbers in the input, in each hidden layer and in the output.
    let sizes: [Int]
    /// For each layer the weight, outputs × inputs row after row, then the bias.
    let parameters: [Float]
    private let file: SafetensorsFile
    private let url: URL

    private static let activationKey = "activation"
    private static let rangeKey = "action_range"

    /// Reads the layers.
    ///
    /// - Throws: ``PolicyError`` where they are none, or some number is none.
    init(_ file: SafetensorsFile, url: URL) throws {
        self.file = file
        self.url = url
        try file.requireFinite()
        var (sizes, parameters): ([Int], [Float]) = ([], [])
        while file.tensors["layers.\(max(sizes.count - 1, 0)).weight"] != nil {
            let key = "layers.\(max(sizes.count - 1, 0))"
            let shape = try file.shape(of: "\(key).weight")
            guard shape.count == 2, shape.allSatisfy({ $0 > 0 }),
                sizes.last ?? shape[1] == shape[1],
                try file.shape(of: "\(key).bias") == [shape[0]]
            else { throw Self.unreadable(url, "its layers do not fit together") }
            if sizes.isEmpty { sizes = [shape[1]] }
            sizes.append(shape[0])
            parameters += try file.floats("\(key).weight") + file.floats("\(key).bias")
        }
        guard sizes.count > 1 else { throw Self.unreadable(url, "it has no layers") }
        self.sizes = sizes
        self.parameters = parameters
    }

    /// The error of a file that cannot be read.
    static func unreadable(_ url: URL, _ detail: String) -> PolicyError {
        PolicyError(
            code: .unreadablePolicy, subject: url.path,
            detail: "\(detail); give the file of a policy that was learnt")
    }

    /// Where each layer's weights and biases are among parameters of these sizes.
    static func ranges(_ sizes: [Int]) -> [(weights: Range<Int>, biases: Range<Int>)] {
        var offset = 0
        return zip(sizes, sizes.dropFirst()).map { inputs, outputs in
            let weights = offset..<(offset + inputs * outputs)
            offset = weights.upperBound + outputs
            return (weights, weights.upperBound..<offset)
        }
    }

    /// Numbers that make up layers of these sizes.
    static func parameterCount(_ sizes: [Int]) -> Int {
        zip(sizes, sizes.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
    }

    /// The activation that the file names, or the one of files that name none.
    func activation(unnamed: PolicyActivation?) throws -> PolicyActivation {
        guard let name = file.metadata[Self.activationKey] else {
            guard let unnamed else { throw Self.unreadable(url, "it names no activation") }
            return unnamed
        }
        guard let activation = PolicyActivation(rawValue: name) else {
            let known = PolicyActivation.allCases.map(\.rawValue).joined(separator: " and ")
            throw Self.unreadable(url, "its activation is none of those known, \(known)")
        }
        return activation
    }

    /// Refuses a policy that takes `observed` numbers and gives `acted`, where the environment has
    /// others.
    func requireFit(
        _ specification: EnvironmentSpecification, observed: Int, acted: Int
    ) throws(PolicyError) {
        let layout = specification.layout
        guard observed != layout.observationDimension || acted != layout.actionDimension else {
            return
        }
        throw PolicyError(
            code: .unsuitablePolicy, subject: url.path,
            detail: "it takes \(observed) observation and gives \(acted) action numbers, made for "
                + "\(madeFor); \(specification.identifier) has \(layout.observationDimension) "
                + "and \(layout.actionDimension)")
    }

    /// The environment that the file names.
    var madeFor: String { file.metadata["environment"] ?? "another environment" }

    /// What -1 to 1 stands for in each of `count` actions.
    func actionRanges(_ count: Int) throws -> [ClosedRange<Double>] {
        let bounds = try file.doubles(Self.rangeKey)
        let pairs = stride(from: 0, to: bounds.count - 1, by: 2)
        guard bounds.count == 2 * count, pairs.allSatisfy({ bounds[$0] <= bounds[$0 + 1] }) else {
            throw Self.unreadable(url, "its action range is none")
        }
        return pairs.map { bounds[$0]...bounds[$0 + 1] }
    }

    /// Puts ranges of actions and the activation into `file`.
    static func set(
        _ actionRanges: [ClosedRange<Double>], _ activation: PolicyActivation,
        in file: inout SafetensorsFile
    ) {
        file.set(
            rangeKey, actionRanges.flatMap { [$0.lowerBound, $0.upperBound] },
            shape: [actionRanges.count, 2])
        file.metadata[activationKey] = activation.rawValue
    }
}
