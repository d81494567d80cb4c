/// A tensor of PyTorch's as its file describes it: a view into a storage of numbers.
public struct TorchTensor: Sendable, Hashable {
    /// The types of number.
    public enum ElementType: String, Sendable, Hashable {
        case float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool

        /// Bytes of an element.
        public var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16, .int16: 2
            case .int8, .uint8, .bool: 1
            }
        }

        /// The types by the storage classes that stand for them.
        static let storages: [String: ElementType] = [
            "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
            "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
            "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
            "BoolStorage": .bool,
        ]

        /// As numbers, where these are little-endian.
        var numbers: NumPyArray.ElementType? {
            switch self {
            case .float64, .float32, .float16: .init(.floating, size: size, isBigEndian: false)
            case .int64, .int32, .int16, .int8: .init(.signed, size: size, isBigEndian: false)
            case .uint8: .init(.unsigned, size: 1, isBigEndian: false)
            case .bool: .init(.boolean, size: 1, isBigEndian: false)
            case .bfloat16: nil
            }
        }
    }

    /// The elements' type.
    public let type: ElementType
    /// Extent of each dimension, the outermost first.
    public let shape: [Int]
    /// How far apart neighbours along each dimension lie in the storage.
    let strides: [Int]
    /// The element of the storage that is the first.
    let offset: Int
    /// The storage's name.
    let storage: String
    /// Elements of the storage.
    let storageCount: Int

    /// How many elements.
    public let count: Int

    init?(
        type: ElementType, shape: [Int], strides: [Int], offset: Int, storage: String,
        storageCount: Int
    ) {
        guard shape.count == strides.count, strides.allSatisfy({ $0 >= 0 }), offset >= 0,
            storageCount >= 0, let count = NumPyArray.count(of: shape)
        else { return nil }
        self.count = count
        (self.type, self.shape, self.strides, self.offset) = (type, shape, strides, offset)
        (self.storage, self.storageCount) = (storage, storageCount)
        // A view may be larger than its storage (expand); a parameter never is, and a small file
        // shall not become a large memory.
        guard count <= storageCount else { return nil }
        var last = offset
        for (extent, stride) in zip(shape, strides) where count > 0 {
            let (reach, over) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overSum) = last.addingReportingOverflow(reach)
            guard !over, !overSum else { return nil }
            last = sum
        }
        guard count == 0 || last < storageCount else { return nil }
    }

    /// Whether the elements lie one after the other.
    private var isContiguous: Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() {
            guard extent == 1 || stride == expected else { return false }
            expected *= extent
        }
        return true
    }

    /// The elements of the storage in the order of rows.
    func arranged<Element>(_ storage: [Element]) -> [Element] {
        guard count > 0 else { return [] }
        if isContiguous { return Array(storage[offset..<(offset + count)]) }
        var index = [Int](repeating: 0, count: shape.count)
        var place = offset
        return (0..<count).map { _ in
            let element = storage[place]
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                index[axis] = 0
            }
            return element
        }
    }
}

extension Pickle {
    /// The tensor at a place, a parameter too; nil where there is something else.
    ///
    /// - Throws: ``PythonFileError`` when there is a tensor which its storage cannot hold.
    func tensor(_ place: Place, called name: String) throws(PythonFileError) -> TorchTensor? {
        guard case .call(let call) = self[place], let arguments = parts(call.arguments) else {
            return nil
        }
        if call.function == .parameter, let inner = arguments.first {
            // A parameter is of a tensor, not of a parameter.
            guard case .call(let inside) = self[inner], inside.function == .tensor else {
                return nil
            }
            return try tensor(inner, called: name)
        }
        guard call.function == .tensor else { return nil }
        guard arguments.count >= 4, case .persistent(let identifier) = self[arguments[0]],
            let storage = parts(identifier), storage.count >= 5, text(storage[0]) == "storage",
            case .name(let storageClass) = self[storage[1]], let type = storageClass.storageType,
            let key = text(storage[2]), let storageCount = integer(storage[4]),
            let offset = integer(arguments[1]), let shape = integers(arguments[2]),
            let strides = integers(arguments[3]),
            let tensor = TorchTensor(
                type: type, shape: shape, strides: strides, offset: offset, storage: key,
                storageCount: storageCount)
        else {
            throw PythonFileError(
                .malformed, file: file, part: name,
                "its description does not fit its storage, or is of a kind that is not read; save "
                    + "the tensors again (contiguous, on the CPU)")
        }
        return tensor
    }
}
