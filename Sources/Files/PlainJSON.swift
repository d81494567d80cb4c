/// Any JSON value, with whole numbers as exact as their text.
package enum PlainJSON: Sendable, Hashable, Codable {
    case null
    case flag(Bool)
    case integer(Int)
    /// A whole number beyond those.
    case large(UInt64)
    case number(Double)
    case text(String)
    case list([PlainJSON])
    case members([String: PlainJSON])

    /// Reads whichever kind of value is there.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .large(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([PlainJSON].self) {
            self = .list(value)
        } else {
            self = .members(try container.decode([String: PlainJSON].self))
        }
    }

    /// Writes the value.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .large(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .members(let value): try container.encode(value)
        }
    }

    /// The members of an object.
    package var members: [String: PlainJSON]? {
        if case .members(let value) = self { value } else { nil }
    }

    /// A text.
    package var text: String? {
        if case .text(let value) = self { value } else { nil }
    }

    /// The numbers of a list of whole numbers.
    package var integers: [Int]? {
        guard case .list(let values) = self else { return nil }
        var result: [Int] = []
        for value in values {
            guard case .integer(let number) = value else { return nil }
            result.append(number)
        }
        return result
    }

    /// The value for a person: a list's elements side by side.
    package var shown: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .large(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        case .list(let values): values.map(\.shown).joined(separator: ", ")
        case .members(let values):
            values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.shown)" }
                .joined(separator: ", ")
        }
    }
}
