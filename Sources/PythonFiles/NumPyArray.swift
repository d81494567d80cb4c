import Foundation

/// An array of NumPy's: numbers or truth values of one type in a shape.
public struct NumPyArray: Sendable {
    /// The type of the elements, as NumPy writes it (`<f4`).
    public struct ElementType: Sendable, Hashable {
        /// The kinds of number.
        public enum Kind: Character, Sendable, Hashable {
            case floating = "f"
            case signed = "i"
            case unsigned = "u"
            case boolean = "b"
        }
        /// The kind of number.
        public let kind: Kind
        /// Bytes of an element.
        public let size: Int
        let isBigEndian: Bool

        /// Takes a description such as `<f4`, `f8` or `|b1`; nil for others (objects, texts,
        /// records).
        public init?(_ text: String) {
            var rest = text[...]
            var isBigEndian = false
            if let order = rest.first, "<>=|".contains(order) {
                isBigEndian = order == ">"
                rest = rest.dropFirst()
            }
            self.isBigEndian = isBigEndian
            guard let letter = rest.first, let size = Int(rest.dropFirst()) else { return nil }
            if letter == "?" || (letter == "b" && size == 1) {
                (kind, self.size) = (.boolean, 1)
                return
            }
            guard let kind = Kind(rawValue: letter) else { return nil }
            let sizes: Set<Int> = kind == .floating ? [2, 4, 8] : [1, 2, 4, 8]
            guard kind != .boolean, sizes.contains(size) else { return nil }
            (self.kind, self.size) = (kind, size)
        }

        init(_ kind: Kind, size: Int, isBigEndian: Bool) {
            (self.kind, self.size, self.isBigEndian) = (kind, size, isBigEndian)
        }
    }

    /// The elements' type.
    public let type: ElementType
    /// Extent of each dimension, the outermost first.
    public let shape: [Int]
    /// Whether the first dimension's neighbours lie side by side (Fortran's order).
    let isFortran: Bool
    private let bytes: [UInt8]

    /// How many elements.
    public var count: Int { bytes.count / type.size }

    /// An array of these bytes; nil where their number does not fit.
    init?(type: ElementType, shape: [Int], isFortran: Bool, bytes: [UInt8]) {
        guard let count = Self.count(of: shape), bytes.count / type.size == count,
            bytes.count.isMultiple(of: type.size)
        else { return nil }
        (self.type, self.shape, self.isFortran, self.bytes) = (type, shape, isFortran, bytes)
    }

    /// The product of extents; nil where one is negative or it is larger than any file.
    static func count(of shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow, product < 1 << 48 else { return nil }
            count = product
        }
        return count
    }

    /// The elements in the order of rows, as numbers; truth values are 0 and 1.
    public func doubles() -> [Double] { ordered(type.numbers(bytes, Double.self)) }

    /// The elements in the order of rows, as single-precision numbers.
    public func floats() -> [Float] { ordered(type.numbers(bytes, Float.self)) }

    /// Rows of columns, where the array has them the other way round.
    private func ordered<Number>(_ values: [Number]) -> [Number] {
        guard isFortran, shape.count > 1, !values.isEmpty else { return values }
        var strides = [1]
        for extent in shape.dropLast() { strides.append(strides[strides.count - 1] * extent) }
        var index = [Int](repeating: 0, count: shape.count)
        var place = 0
        return values.indices.map { _ in
            let value = values[place]
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                index[axis] = 0
            }
            return value
        }
    }
}

extension NumPyArray.ElementType {
    /// The elements in `bytes` as numbers.
    func numbers<Number: BinaryFloatingPoint>(_ bytes: [UInt8], _ type: Number.Type) -> [Number] {
        switch (kind, size) {
        case (.floating, 2): words(bytes, UInt16.self).map { Number(Float(halfPrecision: $0)) }
        case (.floating, 4): words(bytes, UInt32.self).map { Number(Float(bitPattern: $0)) }
        case (.floating, _): words(bytes, UInt64.self).map { Number(Double(bitPattern: $0)) }
        case (.boolean, _): bytes.map { $0 == 0 ? 0 : 1 }
        case (.signed, 1): bytes.map { Number(Int8(bitPattern: $0)) }
        case (.signed, 2): words(bytes, UInt16.self).map { Number(Int16(bitPattern: $0)) }
        case (.signed, 4): words(bytes, UInt32.self).map { Number(Int32(bitPattern: $0)) }
        case (.signed, _): words(bytes, UInt64.self).map { Number(Int64(bitPattern: $0)) }
        case (.unsigned, 1): bytes.map { Number($0) }
        case (.unsigned, 2): words(bytes, UInt16.self).map { Number($0) }
        case (.unsigned, 4): words(bytes, UInt32.self).map { Number($0) }
        case (.unsigned, _): words(bytes, UInt64.self).map { Number($0) }
        }
    }

    private func words<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: [UInt8], _ type: Word.Type
    ) -> [Word] {
        let size = MemoryLayout<Word>.size
        let raw = bytes.span.bytes
        return (0..<(bytes.count / size)).map {
            let word = raw.unsafeLoadUnaligned(fromByteOffset: $0 * size, as: type)
            return isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)
        }
    }
}

extension Float {
    /// IEEE 754 binary16 as single precision, exact. (`Float16` does not exist on every platform.)
    init(halfPrecision bits: UInt16) {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0: self = (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
        case 31: self.init(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: self.init(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}

extension Pickle {
    /// The array of NumPy's at a place, or one of its numbers.
    ///
    /// - Throws: ``PythonFileError`` when there is none, or of a type that is no number.
    public func array(_ place: Place) throws(PythonFileError) -> NumPyArray {
        func refuse(_ detail: String) -> PythonFileError {
            PythonFileError(.malformed, file: file, detail)
        }
        guard case .call(let call) = self[place], let arguments = parts(call.arguments) else {
            throw refuse("expected an array of NumPy's, found something else; save it again")
        }
        var found: (type: Place, shape: [Int], isFortran: Bool, bytes: Place)?
        if call.function.isScalar, arguments.count == 2 {
            found = (arguments[0], [], false, arguments[1])
        } else if call.function.isBuffer, arguments.count == 4,
            let shape = integers(arguments[2])
        {
            found = (arguments[1], shape, text(arguments[3]) == "F", arguments[0])
        } else if call.function.isReconstruction, let state = call.state.flatMap(parts),
            state.count == 5, let shape = integers(state[1]), let isFortran = bool(state[3])
        {
            found = (state[2], shape, isFortran, state[4])
        }
        guard let found, case .bytes(let bytes) = self[found.bytes] else {
            throw refuse("an array of NumPy's in it is not as NumPy writes them; save it again")
        }
        guard let type = elementType(found.type) else {
            throw PythonFileError(
                .foreign, file: file, "an array of NumPy's in it holds no plain numbers")
        }
        guard
            let array = NumPyArray(
                type: type, shape: found.shape, isFortran: found.isFortran, bytes: bytes)
        else { throw refuse("an array of NumPy's in it has not the size of its shape") }
        return array
    }

    private func elementType(_ place: Place) -> NumPyArray.ElementType? {
        guard case .call(let call) = self[place], call.function == .dataType,
            let name = parts(call.arguments)?.first.flatMap(text),
            let type = NumPyArray.ElementType(name)
        else { return nil }
        // The order of bytes is the second of what the type takes over.
        let order = call.state.flatMap(parts).flatMap { $0.count > 1 ? text($0[1]) : nil }
        return NumPyArray.ElementType(type.kind, size: type.size, isBigEndian: order == ">")
    }
}
