public import Files
import Foundation

/// A tensor to be written for PyTorch: single-precision numbers.
public struct TorchContent: Sendable {
    /// Its name in the state.
    public let name: String
    /// Extent of each dimension, the outermost first.
    public let shape: [Int]
    /// The numbers, in the order of rows; nil where they are those of the tensor written before it.
    public let values: [Float]?

    /// A tensor; see the properties.
    public init(_ name: String, shape: [Int], values: [Float]?) {
        precondition(
            values.map { $0.count == shape.reduce(1, *) } ?? true,
            "\(values?.count ?? 0) numbers do not fill the shape \(shape)")
        (self.name, self.shape, self.values) = (name, shape, values)
    }
}

extension TorchFile {
    /// Writes a state as `torch.save` does: a zip archive that `torch.load` reads, also where it
    /// takes weights only.
    ///
    /// - Parameters:
    ///   - state: The tensors, in this order; the first has numbers of its own.
    ///   - file: What the archive is to become; it is not committed here.
    /// - Throws: `FileError` when it cannot be written.
    public static func write(_ state: [TorchContent], to file: PendingFile) throws(FileError) {
        let archive = ZipWriter(file)
        // torch.load takes any folder; torch.save names it after the file.
        let folder = "archive"
        var storage = -1
        var entries: [(key: String, value: PickleContent)] = []
        for tensor in state {
            storage += tensor.values == nil ? 0 : 1
            precondition(storage >= 0, "the first tensor of a state has no numbers")
            entries.append((tensor.name, content(tensor, storage: storage)))
        }
        try archive.add(
            "\(folder)/data.pkl", PickleContent.filled(.orderedDictionary, entries).pickled,
            alignment: 64)
        try archive.add("\(folder)/byteorder", Array("little".utf8), alignment: 64)
        storage = 0
        for case let values? in state.map(\.values) {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(4 * values.count)
            for value in values { bytes.add(value.bitPattern) }
            try archive.add("\(folder)/data/\(storage)", bytes, alignment: 64)
            storage += 1
        }
        try archive.add("\(folder)/version", Array("3\n".utf8), alignment: 64)
        try archive.finish()
    }

    private static func content(_ tensor: TorchContent, storage: Int) -> PickleContent {
        let count = tensor.shape.reduce(1, *)
        // The stride of a dimension is the product of the extents after it.
        let strides = tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) }
        return .call(
            .tensor,
            [
                .persistent([
                    .text("storage"), .name(PickleName("torch", "FloatStorage")),
                    .text("\(storage)"), .text("cpu"), .integer(count),
                ]),
                .integer(0), .tuple(tensor.shape.map { .integer($0) }),
                .tuple(strides.map { .integer($0) }), .bool(false),
                .call(.orderedDictionary, []),
            ])
    }
}
