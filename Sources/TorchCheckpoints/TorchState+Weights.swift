public import PythonFiles
import Safetensors
public import Transformer

extension TorchState {
    /// The model with these parameters.
    ///
    /// - Parameter configuration: As ``configuration(layout:headCount:shape:)`` made it.
    /// - Returns: The model.
    /// - Throws: `PythonFileError` when a parameter is missing, damaged, or of another shape.
    public func model(
        _ configuration: TransformerConfiguration
    ) throws(PythonFileError) -> TrajectoryTransformer {
        // Tensors may share a storage: a small file shall not become a large memory.
        let numbers = Double(configuration.layerCount) * 12 * Double(width) * Double(width)
        guard numbers <= Double(file.size) + 1e6 else {
            throw PythonFileError(
                .malformed, file: file.name,
                "its \(configuration.layerCount) blocks of width \(width) do not fit into its "
                    + "\(file.size) bytes; fetch or write it again")
        }
        let tensors =
            layout == .authors
            ? try authorsTensors(configuration) : try fasterTensors(configuration)
        do {
            return try TrajectoryTransformer(configuration, tensors: tensors)
        } catch {
            throw PythonFileError(.mismatch, file: file.name, part: error.tensor, error.detail)
        }
    }

    /// A parameter's numbers; they are finite and fill `shape`.
    private func numbers(_ name: String, _ shape: [Int]) throws(PythonFileError) -> [Float] {
        guard let tensor = tensors[name] else {
            throw PythonFileError(.missing, file: file.name, part: name, "there is no such tensor")
        }
        guard tensor.shape == shape else {
            throw PythonFileError(
                .mismatch, file: file.name, part: name,
                "expected the shape \(shape), found \(tensor.shape)")
        }
        let values = try file.floats(tensor, called: name)
        guard let index = values.firstIndex(where: { !$0.isFinite }) else { return values }
        throw PythonFileError(
            .malformed, file: file.name, part: name,
            "its number \(index) is NaN or infinite; the training failed, take another state")
    }

    /// The authors' names are this project's.
    private func authorsTensors(
        _ configuration: TransformerConfiguration
    ) throws(PythonFileError) -> SafetensorsFile {
        var result = SafetensorsFile(name: file.name)
        func take(_ name: String, _ shape: [Int]) throws(PythonFileError) {
            result.set(name, try numbers(name, shape), shape: shape)
        }
        try take("tok_emb.weight", [binCount * transitionDimension + 1, width])
        try takePositions(configuration, into: &result)
        for index in 0..<layerCount {
            let block = "blocks.\(index)"
            for norm in ["ln1", "ln2"] {
                try take("\(block).\(norm).weight", [width])
                try take("\(block).\(norm).bias", [width])
            }
            for part in ["key", "query", "value", "proj"] {
                try take("\(block).attn.\(part).weight", [width, width])
                try take("\(block).attn.\(part).bias", [width])
            }
            try take("\(block).mlp.0.weight", [4 * width, width])
            try take("\(block).mlp.0.bias", [4 * width])
            try take("\(block).mlp.2.weight", [width, 4 * width])
            try take("\(block).mlp.2.bias", [width])
        }
        try take("ln_f.weight", [width])
        try take("ln_f.bias", [width])
        try take("head.weight", [transitionDimension, binCount + 1, width])
        return result
    }

    /// The positions of whole transitions.
    private func takePositions(
        _ configuration: TransformerConfiguration, into result: inout SafetensorsFile
    ) throws(PythonFileError) {
        let length = configuration.contextLength
        let positions = try numbers("pos_emb", [1, positionCount, width])
        result.set("pos_emb", Array(positions[..<(length * width)]), shape: [1, length, width])
    }

    /// The Faster Trajectory Transformer's names: one matrix for query, key and value, which follow
    /// each other as rows.
    private func fasterTensors(
        _ configuration: TransformerConfiguration
    ) throws(PythonFileError) -> SafetensorsFile {
        var result = SafetensorsFile(name: file.name)
        func take(
            _ name: String, as own: String, _ shape: [Int]
        ) throws(PythonFileError) {
            result.set(own, try numbers(name, shape), shape: shape)
        }
        let rows = binCount * transitionDimension
        // A row for termination, which its models do not know.
        result.set(
            "tok_emb.weight",
            try numbers("tok_emb.weight", [rows, width]) + [Float](repeating: 0, count: width),
            shape: [rows + 1, width])
        try takePositions(configuration, into: &result)
        for index in 0..<layerCount {
            let block = "blocks.\(index)"
            for (norm, own) in [("norm1", "ln1"), ("norm2", "ln2")] {
                try take("\(block).\(norm).weight", as: "\(block).\(own).weight", [width])
                try take("\(block).\(norm).bias", as: "\(block).\(own).bias", [width])
            }
            let weights = try numbers(
                "\(block).attention.in_proj_weight", [3 * width, width])
            let biases = try numbers("\(block).attention.in_proj_bias", [3 * width])
            for (place, part) in ["query", "key", "value"].enumerated() {
                let (size, start) = (width * width, place * width * width)
                result.set(
                    "\(block).attn.\(part).weight", Array(weights[start..<(start + size)]),
                    shape: [width, width])
                result.set(
                    "\(block).attn.\(part).bias",
                    Array(biases[(place * width)..<((place + 1) * width)]), shape: [width])
            }
            try take(
                "\(block).attention.out_proj.weight", as: "\(block).attn.proj.weight",
                [width, width])
            try take(
                "\(block).attention.out_proj.bias", as: "\(block).attn.proj.bias", [width])
            for (name, shape) in [
                ("mlp.0.weight", [4 * width, width]), ("mlp.0.bias", [4 * width]),
                ("mlp.2.weight", [width, 4 * width]), ("mlp.2.bias", [width]),
            ] {
                try take("\(block).\(name)", as: "\(block).\(name)", shape)
            }
        }
        let isOne = layout == .fasterOneHead
        let heads = FasterHeads(
            weights: try numbers(
                "head.weight",
                isOne ? [binCount, width] : [transitionDimension, binCount, width]),
            bias: tensors["head.bias"] == nil
                ? nil
                : try numbers(
                    "head.bias", isOne ? [binCount] : [transitionDimension, binCount]),
            normWeight: try numbers("norm.weight", [width]),
            normBias: try numbers("norm.bias", [width]), binCount: binCount)
        let ones = [Float](repeating: 1, count: width)
        result.set("ln_f.weight", ones, shape: [width])
        result.set("ln_f.bias", ones, shape: [width])
        result.set(
            "head.weight", heads.weights(of: transitionDimension),
            shape: [transitionDimension, binCount + 1, width])
        return result
    }
}
