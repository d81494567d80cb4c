#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A checksum that lies in the text which it is the checksum of: `"checksum": "0123456789abcdef"`,
/// in a JSON object.
///
/// It is the sum of all bytes of the file, with zeros in its own place.
public enum Seal {
    /// The key.
    public static let key = "checksum"
    /// What is written first, in place of the sum.
    public static let blank = "0000000000000000"

    /// What a file says about itself.
    public enum State: Hashable, Sendable {
        /// It has no checksum.
        case absent
        /// It is as it was written; the sum.
        case intact(String)
        /// It is not as it was written.
        case broken
    }

    /// Puts the sum in the place of the blank.
    ///
    /// - Parameters:
    ///   - bytes: The file, which holds the key with a blank.
    ///   - text: Where in it the JSON object is; everywhere if nil.
    /// - Returns: The sum.
    @discardableResult
    public static func close(_ bytes: inout Data, text: Range<Int>? = nil) -> String {
        guard let place = place(in: bytes, text ?? 0..<bytes.count) else {
            preconditionFailure("a file to be sealed has no place for the checksum")
        }
        let sum = sum(of: bytes)
        bytes.replaceSubrange(place.map { $0 + bytes.startIndex }, with: Data(sum.utf8))
        return sum
    }

    /// Compares a file with its checksum.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - text: Where in it the JSON object is; everywhere if nil.
    /// - Returns: Whether it has a checksum, and is what that says.
    public static func state(of bytes: Data, text: Range<Int>? = nil) -> State {
        guard let place = place(in: bytes, text ?? 0..<bytes.count) else { return .absent }
        let range = place.map { $0 + bytes.startIndex }
        let given = String(decoding: bytes[range], as: UTF8.self)
        var blanked = bytes
        blanked.replaceSubrange(range, with: Data(blank.utf8))
        return sum(of: blanked) == given ? .intact(given) : .broken
    }

    /// A value as JSON that carries its own checksum.
    ///
    /// - Throws: What encoding throws.
    public static func json(_ value: some Encodable, using encoder: JSONEncoder) throws -> Data {
        var data = try encoder.encode(Sealed(value: value))
        close(&data)
        return data
    }

    private static func sum(of bytes: Data) -> String {
        var checksum = WordChecksum()
        checksum.add([UInt64(bytes.count)])
        checksum.add(padding: bytes)
        let digits = String(checksum.value, radix: 16)
        return String(repeating: "0", count: blank.count - digits.count) + digits
    }

    /// Where the sixteen digits are, from the first byte on.
    private static func place(in bytes: Data, _ text: Range<Int>) -> Range<Int>? {
        let bytes = bytes[text.map { $0 + bytes.startIndex }]
        let quoted = Data("\"\(key)\"".utf8)
        var start = bytes.startIndex
        while let found = bytes[start...].firstRange(of: quoted) {
            start = found.upperBound
            var index = found.upperBound
            func skip(_ wanted: Set<UInt8>) {
                while index < bytes.endIndex, wanted.contains(bytes[index]) { index += 1 }
            }
            let space = Set(" \n\t\r".utf8)
            skip(space)
            guard index < bytes.endIndex, bytes[index] == UInt8(ascii: ":") else { continue }
            index += 1
            skip(space)
            let end = index + 1 + blank.utf8.count
            guard end < bytes.endIndex, bytes[index] == UInt8(ascii: "\""),
                bytes[end] == UInt8(ascii: "\"")
            else { continue }
            let origin = bytes.startIndex - text.lowerBound
            return (index + 1 - origin)..<(end - origin)
        }
        return nil
    }

    private struct Sealed<Value: Encodable>: Encodable {
        let value: Value

        private enum Key: String, CodingKey { case checksum }

        func encode(to encoder: any Encoder) throws {
            try value.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(Seal.blank, forKey: .checksum)
        }
    }
}

extension Range<Int> {
    fileprivate func map(_ shift: (Int) -> Int) -> Range<Int> {
        shift(lowerBound)..<shift(upperBound)
    }
}
