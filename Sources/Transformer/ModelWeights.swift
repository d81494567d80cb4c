internal import Layers
public import Safetensors
internal import Tensors

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
            let values = FloatStorage(count: parameters.layout.count)
            for entry in parameters.layout.entries {
                let shape = try tensors.shape(of: entry.name)
                guard shape == entry.shape else {
                    throw SafetensorsError(
                        code: .wrongShape, file: tensors.name, tensor: entry.name,
                        detail: "expected shape \(entry.shape), found \(shape); "
                            + "the weights belong to another configuration")
                }
                values.write(try tensors.floats(entry.name), at: entry.slot.offset)
            }
            return values
        }
    }

    /// All parameters as named tensors.
    public func tensors() -> SafetensorsFile {
        var file = SafetensorsFile(name: "model")
        for entry in parameters.layout.entries {
            file.set(entry.name, weights.values.values(in: entry.slot.range), shape: entry.shape)
        }
        return file
    }
}
