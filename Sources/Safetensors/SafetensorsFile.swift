import Files

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Why a safetensors file could not be read or written.
public struct SafetensorsError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        case unreadable, unwritable, malformed, missingTensor, wrongType, wrongShape
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file, as given by the caller.
    public let file: String
    /// The tensor concerned, if one is.
    public let tensor: String?
    /// What went wrong, for a person.
    public let detail: String

    /// Creates an error.
    public init(code: Code, file: String, tensor: String?, detail: String) {
        self.code = code
        self.file = file
        self.tensor = tensor
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String {
        let place = tensor.map { "tensor '\($0)' of '\(file)'" } ?? "'\(file)'"
        return "cannot use \(place): \(detail)"
    }
}

/// A set of named tensors in the safetensors format: an 8-byte little-endian header length, a JSON
/// header, then the raw little-endian data.
///
/// Values are read and written whole; tensors here are at most a few hundred megabytes.
public struct SafetensorsFile: Sendable {
    /// The element types that are understood.
    public enum ElementType: String, Sendable, Hashable {
        case float64 = "F64"
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int64 = "I64"
        case int32 = "I32"
        case uint8 = "U8"
        case bool = "BOOL"

        /// Bytes an element takes.
        public var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16: 2
            case .uint8, .bool: 1
            }
        }
    }

    /// One tensor: element type, shape (row-major) and raw little-endian bytes.
    public struct Tensor: Sendable {
        /// Element type.
        public let type: ElementType
        /// Extent of each dimension, outermost first.
        public let shape: [Int]
        /// The elements, little-endian.
        public let bytes: [UInt8]
    }

    /// Name of the file, for messages.
    public let name: String
    /// The tensors by name.
    public private(set) var tensors: [String: Tensor] = [:]
    /// Element types of tensors that are in the file and cannot be read, by name.
    private var unread: [String: String] = [:]
    /// Free-form string pairs stored beside the tensors (`__metadata__`).
    public var metadata: [String: String] = [:]
    /// The checksum that the file was read with; nil where it has none.
    public private(set) var checksum: String?

    /// An empty set of tensors; `name` is used in messages.
    public init(name: String = "tensors") {
        self.name = name
    }

    /// Reads a file.
    ///
    /// - Throws: ``SafetensorsError`` when the file cannot be read or is not valid safetensors.
    public init(contentsOf url: URL) throws(SafetensorsError) {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw SafetensorsError(
                code: .unreadable, file: url.path, tensor: nil,
                detail: "the file is missing or unreadable; check the path")
        }
        try self.init(data: data, name: url.path)
    }

    /// Parses the bytes of a safetensors file; `name` is used in messages.
    ///
    /// - Throws: ``SafetensorsError`` when the bytes are not valid safetensors, or not those of which
    ///   the file has the checksum.
    public init(data: Data, name: String) throws(SafetensorsError) {
        self.name = name
        func malformed(_ detail: String) -> SafetensorsError {
            SafetensorsError(
                code: .malformed, file: name, tensor: nil,
                detail: "\(detail); it is truncated, corrupt or not in safetensors format")
        }
        let bytes = [UInt8](data)
        guard bytes.count >= 8 else { throw malformed("it holds only \(bytes.count) bytes") }
        let headerLength = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard headerLength <= UInt64(bytes.count - 8) else {
            throw malformed("its header claims \(headerLength) bytes")
        }
        let body = 8 + Int(headerLength)
        guard
            let header = try? JSONDecoder().decode(
                [String: PlainJSON].self, from: Data(bytes[8..<body]))
        else { throw malformed("its header is not JSON") }
        let texts = header["__metadata__"]?.members?.mapValues(\.text) ?? [:]
        metadata = texts.values.contains(nil) ? [:] : texts.compactMapValues(\.self)
        switch Seal.state(of: data, text: 8..<body) {
        case .absent: break
        case .intact(let sum): checksum = sum
        case .broken:
            throw SafetensorsError(
                code: .malformed, file: name, tensor: nil,
                detail:
                    "it is damaged: its bytes are not those of which it has the checksum; fetch "
                    + "or make it again (who changes such a file leaves the checksum out)")
        }
        metadata[Seal.key] = nil
        var taken: [(range: Range<Int>, key: String)] = []
        var entries: [(key: String, type: ElementType, shape: [Int], bytes: Range<Int>)] = []
        for (key, value) in header where key != "__metadata__" {
            guard let entry = value.members, let typeName = entry["dtype"]?.text,
                let shape = entry["shape"]?.integers,
                let offsets = entry["data_offsets"]?.integers,
                offsets.count == 2, shape.allSatisfy({ $0 >= 0 })
            else { throw malformed("the header entry of '\(key)' is incomplete") }
            if offsets[0] < offsets[1] { taken.append((offsets[0]..<offsets[1], key)) }
            guard let type = ElementType(rawValue: typeName) else {
                // Others may be asked for: a file is not refused for what nobody reads.
                unread[key] = typeName
                continue
            }
            let (count, overflow) = shape.reduce((1, false)) { partial, extent in
                let product = partial.0.multipliedReportingOverflow(by: extent)
                return (product.partialValue, partial.1 || product.overflow)
            }
            guard !overflow, 0 <= offsets[0], offsets[0] <= offsets[1],
                offsets[1] <= bytes.count - body, (offsets[1] - offsets[0]) / type.size == count,
                (offsets[1] - offsets[0]) % type.size == 0
            else { throw malformed("the data of '\(key)' lies outside the file") }
            entries.append((key, type, shape, (body + offsets[0])..<(body + offsets[1])))
        }
        // Otherwise a small file could become a large memory, a tensor at a time.
        taken.sort { $0.range.lowerBound < $1.range.lowerBound }
        for (first, second) in zip(taken, taken.dropFirst())
        where second.range.lowerBound < first.range.upperBound {
            throw malformed("the data of '\(first.key)' and '\(second.key)' overlap")
        }
        for entry in entries {
            tensors[entry.key] = Tensor(
                type: entry.type, shape: entry.shape, bytes: Array(bytes[entry.bytes]))
        }
    }

    /// The whole file as bytes; tensors in the order of their names, and a checksum of all bytes
    /// among the metadata.
    public func serialized() -> Data { sealed().bytes }

    private func sealed() -> (bytes: Data, sum: String) {
        var header: [String: PlainJSON] = [:]
        var body = Data()
        for (key, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let offsets = [body.count, body.count + tensor.bytes.count]
            header[key] = .members([
                "dtype": .text(tensor.type.rawValue),
                "shape": .list(tensor.shape.map { .integer($0) }),
                "data_offsets": .list(offsets.map { .integer($0) }),
            ])
            body.append(contentsOf: tensor.bytes)
        }
        header["__metadata__"] = .members(
            metadata.merging([Seal.key: Seal.blank]) { $1 }.mapValues { .text($0) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var json = (try? encoder.encode(header)) ?? Data()
        // The format asks for data aligned to 8 bytes; spaces may pad the header.
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        var result = Data()
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { result.append(contentsOf: $0) }
        result += json
        result += body
        let sum = Seal.close(&result, text: 8..<(8 + json.count))
        return (result, sum)
    }

    /// Writes the file atomically: either the whole new file is there afterwards or the old one.
    ///
    /// - Parameters:
    ///   - url: Where it shall lie.
    ///   - followsLinks: Whether a link there stands for what it points to; else it is replaced.
    /// - Returns: The file's checksum.
    /// - Throws: ``SafetensorsError`` when the file cannot be written.
    @discardableResult
    public func write(
        to url: URL, followsLinks: Bool = true
    ) throws(SafetensorsError) -> String {
        let (bytes, sum) = sealed()
        do {
            try OutputFile.write(bytes, to: url, followsLinks: followsLinks)
        } catch {
            throw SafetensorsError(
                code: .unwritable, file: url.path, tensor: nil, detail: error.detail)
        }
        return sum
    }

    private func tensor(_ key: String) throws(SafetensorsError) -> Tensor {
        guard let tensor = tensors[key] else {
            if let type = unread[key] {
                throw SafetensorsError(
                    code: .wrongType, file: name, tensor: key,
                    detail: "its elements are of the type '\(type)', which is not read")
            }
            throw SafetensorsError(
                code: .missingTensor, file: name, tensor: key, detail: "there is no such tensor")
        }
        return tensor
    }

    /// The shape of a tensor.
    ///
    /// - Throws: ``SafetensorsError`` when there is no such tensor.
    public func shape(of key: String) throws(SafetensorsError) -> [Int] {
        try tensor(key).shape
    }

    /// A tensor's elements as numbers, in row-major order, converted to `Float`.
    ///
    /// - Throws: ``SafetensorsError`` when there is no such tensor or it is not of floating type.
    public func floats(_ key: String) throws(SafetensorsError) -> [Float] {
        let tensor = try tensor(key)
        return switch tensor.type {
        case .float32: load(tensor, UInt32.self).map(Float.init(bitPattern:))
        case .float16: load(tensor, UInt16.self).map(SafetensorsFile.float(halfBits:))
        case .bfloat16:
            load(tensor, UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        case .float64: load(tensor, UInt64.self).map { Float(Double(bitPattern: $0)) }
        default: throw wrongType(key, tensor, "floating-point numbers")
        }
    }

    /// A tensor's elements as numbers, in row-major order, as `Double`.
    ///
    /// - Throws: ``SafetensorsError`` when there is no such tensor or it is not of floating type.
    public func doubles(_ key: String) throws(SafetensorsError) -> [Double] {
        let tensor = try tensor(key)
        guard tensor.type == .float64 else { return try floats(key).map(Double.init) }
        return load(tensor, UInt64.self).map(Double.init(bitPattern:))
    }

    /// A tensor's elements as integers, in row-major order.
    ///
    /// - Throws: ``SafetensorsError`` when there is no such tensor or it is not of integer type.
    public func integers(_ key: String) throws(SafetensorsError) -> [Int] {
        let tensor = try tensor(key)
        return switch tensor.type {
        case .int64: load(tensor, Int64.self).map(Int.init)
        case .int32: load(tensor, Int32.self).map(Int.init)
        case .uint8, .bool: tensor.bytes.map(Int.init)
        default: throw wrongType(key, tensor, "integers")
        }
    }

    /// Stores single-precision numbers under `key`.
    public mutating func set(_ key: String, _ values: [Float], shape: [Int]) {
        store(key, values.map(\.bitPattern), shape, .float32)
    }

    /// Stores numbers under `key` in half precision (IEEE 754 binary16), rounded to the nearest.
    public mutating func setHalf(_ key: String, _ values: [Float], shape: [Int]) {
        store(key, values.map(Self.halfBits), shape, .float16)
    }

    /// Stores double-precision numbers under `key`.
    public mutating func set(_ key: String, _ values: [Double], shape: [Int]) {
        store(key, values.map(\.bitPattern), shape, .float64)
    }

    /// Stores 32-bit integers under `key`.
    public mutating func set(_ key: String, _ values: [Int32], shape: [Int]) {
        store(key, values, shape, .int32)
    }

    private mutating func store<Word: FixedWidthInteger>(
        _ key: String, _ words: [Word], _ shape: [Int], _ type: ElementType
    ) {
        precondition(
            words.count == shape.reduce(1, *), "\(words.count) elements do not fill shape \(shape)")
        let bytes = words.map(\.littleEndian).withUnsafeBytes { [UInt8]($0) }
        tensors[key] = Tensor(type: type, shape: shape, bytes: bytes)
    }

    private func load<Word: FixedWidthInteger>(_ tensor: Tensor, _ type: Word.Type) -> [Word] {
        tensor.bytes.withUnsafeBytes { raw in
            (0..<(raw.count / MemoryLayout<Word>.size)).map {
                Word(
                    littleEndian: raw.loadUnaligned(
                        fromByteOffset: $0 * MemoryLayout<Word>.size, as: Word.self))
            }
        }
    }

    private func wrongType(_ key: String, _ tensor: Tensor, _ wanted: String) -> SafetensorsError {
        SafetensorsError(
            code: .wrongType, file: name, tensor: key,
            detail: "expected \(wanted), found element type \(tensor.type.rawValue)")
    }

    /// Binary32 to IEEE 754 binary16, rounded to the nearest, ties to even.
    private static func halfBits(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.magnitude
        guard magnitude == magnitude else { return sign | 0x7E00 }
        // 65,520 is halfway from the largest number to the next, which is infinity.
        guard magnitude < 65_520 else { return sign | 0x7C00 }
        guard magnitude >= 0x1p-14 else {
            return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
        }
        // Thirteen bits too many in the fraction; a carry goes into the exponent, as it should.
        let bits = magnitude.bitPattern - (112 << 23)
        let rounded = (bits + 0xFFF + (bits >> 13 & 1)) >> 13
        return sign | UInt16(truncatingIfNeeded: rounded)
    }

    /// IEEE 754 binary16 to binary32, exact. (`Float16` does not exist on every platform.)
    private static func float(halfBits bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
