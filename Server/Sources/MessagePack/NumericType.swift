/// How NumPy writes a number: the `str` of a dtype, such as `<f8`.
struct NumericType: Hashable {
    private enum Kind: Character { case float = "f", signed = "i", unsigned = "u", boolean = "b" }

    private let kind: Kind
    /// Bytes of a number.
    let width: Int
    private let isBigEndian: Bool

    /// Nil for a type that is none of numbers and truth values of up to eight bytes.
    init?(_ name: String) {
        let letters = Array(name)
        guard letters.count == 3, let kind = Kind(rawValue: letters[1]),
            let width = letters[2].wholeNumberValue
        else { return nil }
        switch (letters[0], width) {
        case ("|", 1), ("<", 2), ("<", 4), ("<", 8): isBigEndian = false
        case (">", 2), (">", 4), (">", 8): isBigEndian = true
        default: return nil
        }
        guard kind == .boolean ? width == 1 : kind != .float || width > 1 else { return nil }
        self.kind = kind
        self.width = width
    }

    /// The numbers of an array's bytes, which are a multiple of ``width``.
    func numbers(_ data: [UInt8]) -> [Double] {
        stride(from: 0, to: data.count, by: width).map { start in
            var bits: UInt64 = 0
            for place in 0..<width {
                let byte = UInt64(data[start + place])
                bits |= byte << UInt64(8 * (isBigEndian ? width - 1 - place : place))
            }
            return number(bits)
        }
    }

    private func number(_ bits: UInt64) -> Double {
        switch (kind, width) {
        case (.float, 2): Self.half(UInt16(truncatingIfNeeded: bits))
        case (.float, 4): Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case (.float, _): Double(bitPattern: bits)
        case (.signed, 1): Double(Int8(truncatingIfNeeded: bits))
        case (.signed, 2): Double(Int16(truncatingIfNeeded: bits))
        case (.signed, 4): Double(Int32(truncatingIfNeeded: bits))
        case (.signed, _): Double(Int64(bitPattern: bits))
        case (.boolean, _): bits == 0 ? 0 : 1
        case (.unsigned, _): Double(bits)
        }
    }

    /// A number of half precision (IEEE 754 binary16).
    private static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1f)
        let fraction = Double(bits & 0x3ff) / 1024
        return switch exponent {
        case 0: sign * fraction * 0x1p-14
        case 31: fraction == 0 ? sign * .infinity : .nan
        default: sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction)
        }
    }
}
