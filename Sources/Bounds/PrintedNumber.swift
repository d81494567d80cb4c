#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Double {
    /// The number as C prints it by a format of one floating-point number, such as `%.4f`.
    package func printed(_ format: String) -> String {
        // Longer than any double of few digits after the point.
        var text = [CChar](repeating: 0, count: 400)
        let count = withVaList([self]) { vsnprintf(&text, text.count, format, $0) }
        return String(
            decoding: text.prefix(max(0, min(Int(count), text.count - 1))).map(
                UInt8.init(bitPattern:)),
            as: UTF8.self)
    }
}
