import Foundation

extension Double {
    /// The number in a format of C's; what is none is `nan` whatever its sign, and nothing is -0.
    func text(_ format: String) -> String {
        if isNaN { return "nan" }
        let text = String(format: format, self)
        let isZero = text.hasPrefix("-") && !text.contains { "123456789".contains($0) }
        return isZero && isFinite ? String(text.dropFirst()) : text
    }
}
