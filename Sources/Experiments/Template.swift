/// A text with places for values: `evaluate --env {robot} --episodes {episodes}`.
struct Template: Sendable, Hashable, Decodable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    /// The names in braces, each once, in the order of their first appearance.
    var names: [String] {
        var names: [String] = []
        for match in text.matches(of: Self.place) where !names.contains(String(match.1)) {
            names.append(String(match.1))
        }
        return names
    }

    /// The text with values in their places.
    func filled(_ value: (String) throws(ExperimentError) -> String) throws(ExperimentError)
        -> String
    {
        var result = ""
        var end = text.startIndex
        for match in text.matches(of: Self.place) {
            result += text[end..<match.range.lowerBound]
            result += try value(String(match.1))
            end = match.range.upperBound
        }
        return result + text[end...]
    }

    private static var place: Regex<(Substring, Substring)> { /\{([A-Za-z][A-Za-z0-9_-]*)\}/ }
}
