extension SafetensorsFile {
    /// Checks that every floating-point number in the file is finite.
    ///
    /// - Throws: ``SafetensorsError`` that names the first tensor where one is NaN or infinite.
    public func requireFinite() throws(SafetensorsError) {
        for (key, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            guard tensor.type.isFloating,
                let index = try doubles(key).firstIndex(where: { !$0.isFinite })
            else { continue }
            throw SafetensorsError(
                code: .malformed, file: name, tensor: key,
                detail: "its number \(index) is NaN or infinite; the file is damaged, or comes "
                    + "of training that failed")
        }
    }
}

extension SafetensorsFile.ElementType {
    /// Whether the elements can be NaN or infinite.
    fileprivate var isFloating: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }
}
