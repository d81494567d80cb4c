/// A value of MessagePack, with NumPy's arrays as openpi's `msgpack_numpy` writes them.
///
/// Keys of maps are names: strings, or binary data that is UTF-8, as `msgpack_numpy` has them.
public enum MessagePackValue: Sendable, Hashable {
    /// Nil of MessagePack, None of Python.
    case null
    /// A truth value.
    case boolean(Bool)
    /// A whole number.
    case integer(Int64)
    /// A whole number beyond those of 64 bits with a sign.
    case large(UInt64)
    /// A floating-point number, of either width.
    case number(Double)
    /// Text.
    case string(String)
    /// Bytes.
    case binary([UInt8])
    /// Values one after the other.
    case array([MessagePackValue])
    /// Values by name, in the order in which they were written; no name occurs twice.
    case map([Entry])
    /// NumPy's array.
    case tensor(NumericArray)

    /// A value and its name.
    public struct Entry: Sendable, Hashable {
        /// The name.
        public var key: String
        /// The value.
        public var value: MessagePackValue

        /// An entry of a map.
        public init(_ key: String, _ value: MessagePackValue) {
            self.key = key
            self.value = value
        }
    }

    /// What kind of value this is, for a person.
    public var kind: String {
        switch self {
        case .null: "nothing"
        case .boolean: "a truth value"
        case .integer, .large: "a whole number"
        case .number: "a number"
        case .string: "text"
        case .binary: "bytes"
        case .array: "a list"
        case .map: "a map"
        case .tensor(let array): "an array of shape \(array.shape)"
        }
    }
}

/// Numbers in rows and columns: an array of NumPy, of whatever width.
public struct NumericArray: Sendable, Hashable {
    /// Length of each dimension; empty for a single number.
    public let shape: [Int]
    /// The numbers, the last dimension's next to each other; whole numbers beyond 2^53 are rounded.
    public let numbers: [Double]

    /// As many numbers as the shape has places.
    public init(shape: [Int], numbers: [Double]) {
        precondition(
            shape.reduce(1, *) == numbers.count,
            "\(numbers.count) numbers for an array of shape \(shape)")
        self.shape = shape
        self.numbers = numbers
    }

    /// A matrix of rows of `columns` numbers.
    public init(rows: [[Double]], columns: Int) {
        self.init(shape: [rows.count, columns], numbers: rows.flatMap(\.self))
    }

    /// A row of numbers.
    public init(_ numbers: [Double]) {
        self.init(shape: [numbers.count], numbers: numbers)
    }
}

/// Why bytes are no message.
public struct MessagePackError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The bytes end too early.
        case truncated
        /// Bytes follow the value.
        case trailing
        /// Deeper, or of more values, than the limits allow.
        case tooLarge
        /// What no message may hold, such as a key that is no text.
        case malformed
        /// An array of a type that is not read.
        case unknownType
    }
    /// What kind of failure this is.
    public let code: Code
    /// The byte where it was noticed.
    public let offset: Int
    /// What is wrong, for a person.
    public let detail: String

    /// One line: what, where.
    public var description: String { "not a message: \(detail) at byte \(offset)" }
}
