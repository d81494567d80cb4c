/// What is to be written as a pickle.
public indirect enum PickleContent: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case tuple([PickleContent])
    /// A dictionary whose keys are texts.
    case dictionary([(key: String, value: PickleContent)])
    /// A class or function by its name.
    case name(PickleName)
    /// The call of a class or function.
    case call(PickleName, [PickleContent])
    /// A call, and what is then stored in its result by keys.
    case filled(PickleName, [(key: String, value: PickleContent)])
    /// An object of a class with attributes.
    case object(PickleName, [(key: String, value: PickleContent)])
    /// What lies beside the pickle.
    case persistent([PickleContent])

    /// The pickle, of protocol 2, which PyTorch writes and every Python reads.
    public var pickled: [UInt8] {
        var bytes: [UInt8] = [0x80, 2]
        write(to: &bytes)
        bytes.append(UInt8(ascii: "."))
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        func code(_ letter: Unicode.Scalar) { bytes.append(UInt8(ascii: letter)) }
        switch self {
        case .none: code("N")
        case .bool(let value): bytes.append(value ? 0x88 : 0x89)
        case .integer(let value):
            if let small = Int32(exactly: value) {
                code("J")
                bytes.add(UInt32(bitPattern: small))
            } else {
                bytes += [0x8A, 8]
                bytes.add(UInt64(bitPattern: Int64(value)))
            }
        case .number(let value):
            code("G")
            bytes.add(value.bitPattern.byteSwapped)
        case .text(let text):
            code("X")
            bytes.add(UInt32(text.utf8.count))
            bytes += text.utf8
        case .tuple(let parts):
            guard !parts.isEmpty else { return code(")") }
            code("(")
            for part in parts { part.write(to: &bytes) }
            code("t")
        case .dictionary(let pairs):
            code("}")
            Self.write(pairs, to: &bytes)
        case .name(let name):
            code("c")
            bytes += "\(name.module)\n\(name.name)\n".utf8
        case .call(let function, let arguments):
            PickleContent.name(function).write(to: &bytes)
            PickleContent.tuple(arguments).write(to: &bytes)
            code("R")
        case .filled(let function, let pairs):
            PickleContent.call(function, []).write(to: &bytes)
            Self.write(pairs, to: &bytes)
        case .object(let name, let attributes):
            PickleContent.name(name).write(to: &bytes)
            code(")")
            bytes.append(0x81)
            PickleContent.dictionary(attributes).write(to: &bytes)
            code("b")
        case .persistent(let parts):
            PickleContent.tuple(parts).write(to: &bytes)
            code("Q")
        }
    }

    private static func write(
        _ pairs: [(key: String, value: PickleContent)], to bytes: inout [UInt8]
    ) {
        guard !pairs.isEmpty else { return }
        bytes.append(UInt8(ascii: "("))
        for pair in pairs {
            PickleContent.text(pair.key).write(to: &bytes)
            pair.value.write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "u"))
    }
}
