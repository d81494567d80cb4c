public import Yams

/// Reads YAML of which only plain values are expected: text, numbers, truth values, lists and
/// mappings by words.
///
/// Yams ends the program on a mapping as a key, and makes as many values as aliases of aliases
/// stand for; here both are refused first.
public enum PlainYAML {
    /// Why a text is not taken.
    public struct Problem: Error, CustomStringConvertible, Sendable, Hashable {
        /// What is wrong and where, in one line.
        public let description: String
    }

    /// The largest text, in bytes.
    private static let mostBytes = 1 << 20
    /// The most values, an alias counted as what it stands for.
    private static let mostValues = 100_000
    /// Lists and mappings within each other.
    private static let deepest = 64

    /// The tags of plain values.
    private static let tags = Set(
        [
            Tag.Name.implicit, .nonSpecific, .str, .int, .float, .bool, .null, .timestamp, .seq,
            .map, .merge, .value,
        ].map(\.rawValue))

    /// The value that a text holds; nil where it holds none.
    ///
    /// - Throws: ``Problem`` when it is no YAML, too large, or holds what is no plain value.
    public static func node(_ text: String) throws(Problem) -> Node? {
        guard text.utf8.count <= mostBytes else {
            throw Problem(description: "it has more than \(mostBytes) bytes")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            // Of several lines, of which the first says what is wrong.
            let line = "\(error)".split(whereSeparator: \.isNewline).first.map(String.init)
            throw Problem(description: line ?? "bad YAML")
        }
        var left = mostValues
        if let node { try check(node, depth: 0, left: &left) }
        return node
    }

    private static func check(_ node: Node, depth: Int, left: inout Int) throws(Problem) {
        left -= 1
        guard left >= 0, depth <= deepest else {
            throw problem(
                node,
                left < 0
                    ? "it stands for more than \(mostValues) values" : "it is nested too deep")
        }
        guard tags.contains(node.tag.description) else {
            throw problem(node, "the tag '\(node.tag)' is none of plain values")
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard case .scalar = key else { throw problem(key, "a key must be a word") }
                try check(key, depth: depth + 1, left: &left)
                try check(value, depth: depth + 1, left: &left)
            }
        case .sequence(let sequence):
            for value in sequence { try check(value, depth: depth + 1, left: &left) }
        default: break
        }
    }

    private static func problem(_ node: Node, _ detail: String) -> Problem {
        Problem(description: (node.mark.map { "line \($0.line): " } ?? "") + detail)
    }
}
