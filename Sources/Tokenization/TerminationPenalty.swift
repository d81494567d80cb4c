/// What takes the place of the last reward of an episode that ends in a terminal state.
///
/// The code of Janner et al. 2021 gives -100 to robots that fall. Where a terminal state is a goal,
/// the same number would teach a planner to keep away from it.
public enum TerminationPenalty: Sendable, Hashable {
    /// ``failure`` where terminal states are failures, nothing where they are not: the data decide
    /// (``TerminalStates``).
    case automatic
    /// Every reward stays.
    case nothing
    /// This number.
    case number(Double)

    /// The authors' number for a robot that has fallen.
    public static let failure = -100.0

    /// The number; nil where every reward stays.
    ///
    /// It must have been decided: see ``TokenizedDataset/Settings/decided(by:)``.
    public var value: Double? {
        switch self {
        case .automatic:
            preconditionFailure("the data have not decided yet whether there is a penalty")
        case .nothing: nil
        case .number(let number): number
        }
    }

    /// A decided penalty: nil keeps every reward.
    public init(_ value: Double?) {
        self = value.map { .number($0) } ?? .nothing
    }

    /// What is wrong with it, or nil.
    var problem: String? {
        guard case .number(let number) = self, !number.isFinite else { return nil }
        return "terminationPenalty must be finite, found \(number)"
    }
}

extension TerminationPenalty: CustomStringConvertible {
    /// As in a settings file: `auto`, `null` or the number.
    public var description: String {
        switch self {
        case .automatic: "auto"
        case .nothing: "null"
        case .number(let number):
            Int(exactly: number).map(String.init) ?? "\(number)"
        }
    }
}

extension TerminationPenalty: Codable {
    private static let automaticWord = "auto"

    /// Decodes `auto`, null or a number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .nothing
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if (try? container.decode(String.self)) == Self.automaticWord {
            self = .automatic
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "must be a number, null or auto")
        }
    }

    /// Encodes `auto`, null or a number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .automatic: try container.encode(Self.automaticWord)
        case .nothing: try container.encodeNil()
        case .number(let number): try container.encode(number)
        }
    }
}
