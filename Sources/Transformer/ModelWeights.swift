public import Safetensors
import Tensors

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
