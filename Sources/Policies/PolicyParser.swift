public import Episodes

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Understands the text that names a policy.
///
///     policy   = single | "mix:" single "=" weight ("," single "=" weight)*
///     single   = acting | acting "+" noise
///     acting   = base | "sample:" base
///     base     = "random" | level | path of a weight file
///     level    = "weak" | "medium" | "expert" | "ars-weak" | "ars-medium" | "ars-expert"
///
/// Levels are soft actor-critic's, or with `ars-` those of random search. A stochastic policy acts
/// by its mean, or with `sample:` draws each action.
/// `noise` is the standard deviation of Gaussian noise, in units of half the width of an action's
/// limits: `medium+0.2`. In a mix each episode follows one policy, drawn by weight; weights need
/// not sum to 1: `mix:expert=1,medium+0.1=2,random=1`.
public struct PolicyParser: Sendable {
    /// Names of the levels that come with the package, from worst to best.
    public static let levels = ["weak", "medium", "expert"]
    /// Names of the levels of random search, likewise.
    public static let searchedLevels = levels.map { "ars-" + $0 }

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
        else { return try acting(text) }
        guard deviation >= 0, deviation.isFinite else {
            throw PolicyError(
                code: .malformedPolicy, subject: text,
                detail: "noise must not be negative; write it as in medium+0.2")
        }
        return NoisyPolicy(
            try acting(String(text[..<separator])), deviation: deviation, in: specification)
    }

    private func acting(_ text: String) throws(PolicyError) -> any Policy {
        let prefix = "sample:"
        guard text.hasPrefix(prefix) else { return try base(text) }
        guard let policy = try base(String(text.dropFirst(prefix.count))) as? GaussianPolicy else {
            throw PolicyError(
                code: .malformedPolicy, subject: text,
                detail: "it has no distribution to draw actions from; leave out \(prefix)")
        }
        return policy.sampling
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
        if (Self.levels + Self.searchedLevels).contains(name) {
            return try read(url(ofLevel: name))
        }
        guard FileManager.default.fileExists(atPath: name) else {
            throw PolicyError(
                code: .unknownPolicy, subject: name,
                detail: "it is neither random, \(Self.levels.joined(separator: ", ")), "
                    + "\(Self.searchedLevels.joined(separator: ", ")) nor a file; "
                    + "a mix is written as mix:expert=1,random=1")
        }
        return try read(URL(fileURLWithPath: name))
    }

    /// The policy of a file, of whichever kind its metadata say.
    private func read(_ url: URL) throws(PolicyError) -> any Policy {
        let metadata = try LinearPolicy.metadata(ofFile: url)
        if NeuralPolicy.isDescribed(by: metadata) {
            return try NeuralPolicy(contentsOf: url, for: specification)
        }
        if GaussianPolicy.isDescribed(by: metadata) {
            return try GaussianPolicy(contentsOf: url, for: specification)
        }
        return try LinearPolicy(contentsOf: url, for: specification)
    }
}
