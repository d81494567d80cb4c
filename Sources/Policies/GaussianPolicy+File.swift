public import Episodes
import Safetensors
import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension GaussianPolicy {
    private static let kind = "gaussian policy"

    /// How the numbers of a policy are kept.
    public enum Precision: String, Sendable, Hashable, CaseIterable {
        /// As they are, 32 bits.
        case single
        /// Rounded to 16 bits (IEEE 754 binary16), a relative error of up to 1/2048.
        case half
    }

    /// Whether a file with this metadata holds such a policy.
    static func isDescribed(by metadata: [String: String]) -> Bool { metadata["kind"] == kind }

    /// Writes the policy as safetensors, with `metadata` beside it.
    ///
    /// - Throws: ``PolicyError`` when the file cannot be written, or a number cannot be kept.
    public func write(
        to url: URL, metadata: [String: String] = [:], precision: Precision = .single
    ) throws(PolicyError) {
        guard parameters.allSatisfy(\.isFinite) else {
            throw PolicyError(
                code: .unwritablePolicy, subject: url.path,
                detail: "one of its weights is no number; nothing was written")
        }
        guard precision == .single || parameters.allSatisfy({ $0.magnitude < 65_520 }) else {
            throw PolicyError(
                code: .unwritablePolicy, subject: url.path,
                detail: "one of its weights is too large for half precision")
        }
        var file = SafetensorsFile(name: url.path)
        func set(_ key: String, _ range: Range<Int>, shape: [Int]) {
            let values = Array(parameters[range])
            switch precision {
            case .single: file.set(key, values, shape: shape)
            case .half: file.setHalf(key, values, shape: shape)
            }
        }
        let sizes = Self.sizes(layout, hiddenSizes)
        for (index, place) in PerceptronFile.ranges(sizes).enumerated() {
            let (inputs, outputs) = (sizes[index], sizes[index + 1])
            set("layers.\(index).weight", place.weights, shape: [outputs, inputs])
            set("layers.\(index).bias", place.biases, shape: [outputs])
        }
        file.metadata = metadata.merging(["kind": Self.kind]) { $1 }
        PerceptronFile.set(actionRanges, .relu, in: &file)
        do {
            try file.write(to: url)
        } catch {
            throw PolicyError(code: .unwritablePolicy, subject: url.path, detail: error.detail)
        }
    }

    /// Reads a policy that ``write(to:metadata:precision:)`` wrote; it acts by its mean.
    ///
    /// - Throws: ``PolicyError`` when the file is not one, or was made for other sizes.
    public init(contentsOf url: URL, for specification: EnvironmentSpecification)
        throws(PolicyError)
    {
        do {
            let file = try SafetensorsFile(contentsOf: url)
            guard Self.isDescribed(by: file.metadata) else {
                throw PerceptronFile.unreadable(url, "it holds something else")
            }
            let read = try PerceptronFile(file, url: url)
            guard try read.activation(unnamed: nil) == .relu else {
                throw PerceptronFile.unreadable(url, "its activation is not the one known, relu")
            }
            let sizes = read.sizes
            let outputs = sizes[sizes.count - 1]
            guard outputs.isMultiple(of: 2) else {
                throw PerceptronFile.unreadable(url, "its outputs are not means and deviations")
            }
            try read.requireFit(specification, observed: sizes[0], acted: outputs / 2)
            self.init(
                layout: specification.layout, actionLimits: specification.actionLimits,
                actionRanges: try read.actionRanges(outputs / 2),
                hiddenSizes: Array(sizes[1..<(sizes.count - 1)]), parameters: read.parameters)
        } catch let error as PolicyError {
            throw error
        } catch {
            throw PerceptronFile.unreadable(url, "\(error)")
        }
    }
}
