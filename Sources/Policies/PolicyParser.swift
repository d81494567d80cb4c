public import Episodes
public import Foundation

/// Understands the text that names a policy.
///
///     policy   = single | "mix:" single "=" weight ("," single "=" weight)*
///     single   = base | base "+" noise
///     base     = "random" | "weak" | "medium" | "expert" | path of a weight file
///
/// `noise` is the standard deviation of Gaussian noise, in units of half the width of an action's
/// limits: `medium+0.2`. In a mix each episode follows one policy, drawn by weight; weights need
/// not sum to 1: `mix:expert=1,medium+0.1=2,random=1`.
public struct PolicyParser: Sendable {
    /// Names of the levels that come with the package, from worst to best.
    public static let levels = ["weak", "medium", "expert"]

    private let specification: EnvironmentSpecification
    private let folder: URL?

    /// A parser of policies for an environment.
    ///
    /// `folder` holds the levels as `<family>-<level>.safetensors`; without one there are none.
    public init(_ specification: EnvironmentSpecification, levelsIn folder: URL?) {
        self.specification = specification
        self.folder = folder
    }

    /// The policy that `text` describes, its weights loaded.
    ///
    /// - Throws: ``PolicyError`` when `text` does not parse or a policy cannot be loaded.
    public func parse(_ text: String) throws(PolicyError) -> PolicyMixture {
        let prefix = "mix:"
        guard text.hasPrefix(prefix) else { return PolicyMixture(try single(text)) }
        var components: [PolicyMixture.Component] = []
        for part in text.dropFirst(prefix.count).split(
            separator: ",", omittingEmptySubsequences: false)
        {
            guard let separator = part.lastIndex(of: "="),
                let weight = Double(part[part.index(after: separator)...]),
                weight > 0, weight.isFinite
            else {
                throw PolicyError(
                    code: .malformedPolicy, subject: text,
                    detail: "'\(part)' is not a policy with a positive weight; write it as in "
                        + "mix:expert=1,medium+0.1=2,random=1")
            }
            components.append(.init(try single(String(part[..<separator])), weight: weight))
        }
        return PolicyMixture(components)
    }

    private func single(_ text: String) throws(PolicyError) -> any Policy {
        guard let separator = text.lastIndex(of: "+"),
            let deviation = Double(text[text.index(after: separator)...])
        else { return try base(text) }
        guard deviation >= 0, deviation.isFinite else {
            throw PolicyError(
                code: .malformedPolicy, subject: text,
                detail: "noise must not be negative; write it as in medium+0.2")
        }
        return NoisyPolicy(
            try base(String(text[..<separator])), deviation: deviation, in: specification)
    }

    /// The file of a level.
    ///
    /// - Throws: ``PolicyError`` when there is none for the environment.
    public func url(ofLevel level: String) throws(PolicyError) -> URL {
        guard
            let url = folder?.appendingPathComponent(
                "\(specification.family)-\(level).safetensors"),
            FileManager.default.fileExists(atPath: url.path)
        else {
            throw PolicyError(
                code: .unknownPolicy, subject: level,
                detail: "there is no such policy for \(specification.identifier); train one and "
                    + "give its file")
        }
        return url
    }

    private func base(_ name: String) throws(PolicyError) -> any Policy {
        if name == "random" { return RandomPolicy(actionLimits: specification.actionLimits) }
        if Self.levels.contains(name) {
            return try LinearPolicy(contentsOf: url(ofLevel: name), for: specification)
        }
        guard FileManager.default.fileExists(atPath: name) else {
            throw PolicyError(
                code: .unknownPolicy, subject: name,
                detail: "it is neither random, \(Self.levels.joined(separator: ", ")) nor a file; "
                    + "a mix is written as mix:expert=1,random=1")
        }
        let url = URL(fileURLWithPath: name)
        if NeuralPolicy.isDescribed(by: try LinearPolicy.metadata(ofFile: url)) {
            return try NeuralPolicy(contentsOf: url, for: specification)
        }
        return try LinearPolicy(contentsOf: url, for: specification)
    }
}
