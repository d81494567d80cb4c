/// Options that are given twice, of which the parser would silently take the last.
enum RepeatedOption {
    /// Options that add up.
    private static let repeatable: Set<Substring> = ["--set", "--only", "--dynamics"]

    /// Commands that join several datasets.
    private static let joining: Set<String> = [
        "train", "train-policy", "train-critic", "train-dynamics", "select",
    ]

    /// The first option that has two different values.
    static func first(in arguments: [String]) -> String? {
        var values: [Substring: Substring] = [:]
        let options = arguments.prefix { $0 != "--" }
        for (index, argument) in options.enumerated() where argument.hasPrefix("--") {
            let name = argument.prefix { $0 != "=" }
            let next = options.dropFirst(index + 1).first
            guard !repeatable.contains(name),
                name != "--dataset" || !joining.contains(arguments.first ?? ""),
                let value = name.endIndex < argument.endIndex
                    ? argument[name.endIndex...].dropFirst()
                    : next.flatMap({ $0.hasPrefix("--") ? nil : $0[...] })
            else { continue }
            if let earlier = values.updateValue(value, forKey: name), earlier != value {
                return String(name)
            }
        }
        return nil
    }
}
