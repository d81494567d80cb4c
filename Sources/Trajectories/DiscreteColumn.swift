/// A column of a transition that holds one of a few whole numbers, as a `Discrete` space of
/// Gymnasium's does: the action of CartPole, the cell of a grid.
///
/// Such numbers are no quantities: they become tokens as they are, a bin for each.
public struct DiscreteColumn: Sendable, Hashable, Codable {
    /// The column of the transition: observation columns first, then actions.
    public let column: Int
    /// How many values there are.
    public let count: Int
    /// The smallest of them.
    public let start: Int

    /// A column; see the properties.
    public init(column: Int, count: Int, start: Int = 0) {
        (self.column, self.count, self.start) = (column, count, start)
    }

    /// The name under which datasets keep their discrete columns among what they say of themselves.
    public static let attribute = "discrete_columns"

    /// Columns as a text, such as `4:0:2` for two values from 0 on in column 4.
    public static func text(_ columns: [DiscreteColumn]) -> String {
        columns.map { "\($0.column):\($0.start):\($0.count)" }.joined(separator: ",")
    }

    /// The columns that such a text names; nil where it is none, or names what no transition of
    /// `layout` has.
    public static func columns(_ text: String, of layout: TransitionLayout) -> [DiscreteColumn]? {
        var result: [DiscreteColumn] = []
        for part in text.split(separator: ",") {
            let numbers = part.split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 3,
                let column = Optional(
                    DiscreteColumn(column: numbers[0], count: numbers[2], start: numbers[1])),
                column.problem(in: layout) == nil
            else { return nil }
            result.append(column)
        }
        return result
    }

    /// What is wrong with the column for transitions of `layout`, or nil.
    public func problem(in layout: TransitionLayout) -> String? {
        guard 0 <= column, column < layout.rewardIndex else {
            return "column \(column) is none of the \(layout.rewardIndex) of observation and action"
        }
        // Values are kept in single precision.
        guard 0 < count, count <= 1 << 16, abs(start) <= 1 << 23 else {
            return "column \(column) has \(count) values from \(start) on, more than bins can be"
        }
        return nil
    }

    /// The values, as numbers.
    public var limits: ClosedRange<Double> { Double(start)...Double(start + count - 1) }

    /// Whether a number is one of the values.
    public func contains(_ value: Double) -> Bool {
        limits.contains(value) && value.rounded() == value
    }
}
