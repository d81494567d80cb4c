public import Episodes
public import Foundation
import Safetensors
import Trajectories

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
        forEachTensor { key, shape, range in
            let values = Array(parameters[range])
            switch precision {
            case .single: file.set(key, values, shape: shape)
            case .half: file.setHalf(key, values, shape: shape)
            }
        }
        file.set(
            "action_range", actionRanges.flatMap { [$0.lowerBound, $0.upperBound] },
            shape: [actionRanges.count, 2])
        file.metadata = metadata.merging(["kind": Self.kind, "activation": "relu"]) { $1 }
        do {
            try file.write(to: url)
        } catch {
            throw PolicyError(code: .unwritablePolicy, subject: url.path, detail: error.detail)
        }
    }

    private func forEachTensor(_ body: (String, [Int], Range<Int>) -> Void) {
        let sizes = [layout.observationDimension] + hiddenSizes + [2 * layout.actionDimension]
        var offset = 0
        for (index, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
            let weights = offset..<(offset + inputs * outputs)
            body("layers.\(index).weight", [outputs, inputs], weights)
            offset = weights.upperBound + outputs
            body("layers.\(index).bias", [outputs], weights.upperBound..<offset)
        }
    }

    /// Reads a policy that ``write(to:metadata:precision:)`` wrote; it acts by its mean.
    ///
    /// - Throws: ``PolicyError`` when the file is not one, or was made for other sizes.
    public init(contentsOf url: URL, for specification: EnvironmentSpecification)
        throws(PolicyError)
    {
        func unreadable(_ detail: String) -> PolicyError {
            PolicyError(
                code: .unreadablePolicy, subject: url.path,
                detail: "\(detail); give the file of a policy")
        }
        do {
            let file = try SafetensorsFile(contentsOf: url)
            guard Self.isDescribed(by: file.metadata) else {
                throw unreadable("it holds something else")
            }
            guard file.metadata["activation"] == "relu" else {
                throw unreadable("its activation is not the one known, relu")
            }
            var (sizes, parameters): ([Int], [Float]) = ([], [])
            while file.tensors["layers.\(max(sizes.count - 1, 0)).weight"] != nil {
                let key = "layers.\(max(sizes.count - 1, 0))"
                let shape = try file.shape(of: "\(key).weight")
                guard shape.count == 2, shape.allSatisfy({ $0 > 0 }),
                    sizes.last ?? shape[1] == shape[1],
                    try file.shape(of: "\(key).bias") == [shape[0]]
                else { throw unreadable("its layers do not fit together") }
                if sizes.isEmpty { sizes = [shape[1]] }
                sizes.append(shape[0])
                parameters += try file.floats("\(key).weight") + file.floats("\(key).bias")
            }
            guard sizes.count > 1 else { throw unreadable("it has no layers") }
            guard parameters.allSatisfy(\.isFinite) else {
                throw unreadable("one of its weights is no number")
            }
            let layout = specification.layout
            let made = file.metadata["environment"] ?? "another environment"
            guard sizes[0] == layout.observationDimension,
                sizes[sizes.count - 1] == 2 * layout.actionDimension
            else {
                throw PolicyError(
                    code: .unsuitablePolicy, subject: url.path,
                    detail: "it takes \(sizes[0]) observation and gives "
                        + "\(sizes[sizes.count - 1] / 2) action numbers, made for \(made); "
                        + "\(specification.identifier) has \(layout.observationDimension) and "
                        + "\(layout.actionDimension)")
            }
            let bounds = try file.doubles("action_range")
            guard bounds.count == 2 * layout.actionDimension, bounds.allSatisfy(\.isFinite),
                stride(from: 0, to: bounds.count, by: 2).allSatisfy({ bounds[$0] <= bounds[$0 + 1] }
                )
            else { throw unreadable("its action range is none") }
            self.init(
                layout: layout, actionLimits: specification.actionLimits,
                actionRanges: stride(from: 0, to: bounds.count, by: 2).map {
                    bounds[$0]...bounds[$0 + 1]
                },
                hiddenSizes: Array(sizes[1..<(sizes.count - 1)]), parameters: parameters)
        } catch let error as PolicyError {
            throw error
        } catch {
            throw unreadable("\(error)")
        }
    }
}
