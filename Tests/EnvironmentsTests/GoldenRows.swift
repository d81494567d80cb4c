import Safetensors
import Testing

extension SafetensorsFile {
    /// The rows of a matrix.
    func rows(_ key: String) throws -> [[Double]] {
        let values = try doubles(key)
        let width = try #require(try shape(of: key).last)
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }
}
