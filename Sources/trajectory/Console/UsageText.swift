/// What the parser says about wrong usage, as this tool says it.
enum UsageText {
    /// The parser's message, beginning as every error does, with a word where a value begins with a
    /// dash, which the parser takes for an option.
    static func of(_ message: String, _ arguments: [String]) -> String {
        var lines = message.replacing(/^Error:/, with: "error:")
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let missing = lines.first?.firstMatch(of: /Missing value for '(--[A-Za-z0-9-]+)/) {
            let option = String(missing.1)
            let place = arguments.firstIndex(of: option)
            if let value = place.flatMap({ arguments.dropFirst($0 + 1).first }),
                value.hasPrefix("-"), !value.hasPrefix("--")
            {
                lines[0] += "; write \(option)=\(value) for a value that begins with a dash"
            }
        }
        return lines.joined(separator: "\n")
    }
}
