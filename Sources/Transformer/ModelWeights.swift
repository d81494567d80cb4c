public import Safetensors
import Tensors
import Trajectories

extension TransformerParameters {
    /// Refuses tensors that are not those of a model of this configuration, before anything as
    /// large as the configuration says is made.
    ///
    /// - Throws: `SafetensorsError` naming the tensor that does not fit.
    static func requireShapes(
        of tensors: SafetensorsFile, _ configuration: TransformerConfiguration
    ) throws(SafetensorsError) {
        func require(_ name: String, _ expected: [Int]) throws(SafetensorsError) {
            let shape = try tensors.shape(of: name)
            guard shape == expected else {
                throw SafetensorsError(
                    code: .wrongShape, file: tensors.name, tensor: name,
                    detail: "expected shape \(expected), found \(shape); "
                        + "the weights belong to another configuration")
            }
        }
        let (width, dimension) = (
            configuration.embeddingWidth, configuration.layout.transitionDimension
        )
        try require("tok_emb.weight", [configuration.binCount * dimension + 1, width])
        try require("pos_emb", [1, configuration.contextLength, width])
        try require("head.weight", [dimension, configuration.vocabularySize, width])
        try require("blocks.\(configuration.layerCount - 1).ln1.weight", [width])
    }
}

extension TrajectoryTransformer {
    /// A model with the parameters of `tensors`, under the names of the authors' checkpoints.
    ///
    /// Further tensors, such as the authors' mask buffers, are ignored.
    ///
    /// - Throws: `SafetensorsError` when a parameter is missing or has another shape.
    public convenience init(_ configuration: TransformerConfiguration, tensors: SafetensorsFile)
        throws(SafetensorsError)
    {
        try self.init(configuration) { parameters throws(SafetensorsError) in
            var values: [Float] = []
            values.reserveCapacity(parameters.layout.count)
            for entry in parameters.layout.entries {
                let shape = try tensors.shape(of: entry.name)
                guard shape == entry.shape else {
                    throw SafetensorsError(
                        code: .wrongShape, file: tensors.name, tensor: entry.name,
                        detail: "expected shape \(entry.shape), found \(shape); "
                            + "the weights belong to another configuration")
                }
                values += try tensors.floats(entry.name)
            }
            return values
        }
    }

    /// All parameters as named tensors.
    public func tensors() -> SafetensorsFile {
        var file = SafetensorsFile(name: "model")
        for entry in parameters.layout.entries {
            file.set(entry.name, Array(values[entry.slot.range]), shape: entry.shape)
        }
        return file
    }
}
