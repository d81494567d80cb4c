import Foundation

/// What a Minari dataset says about its origin, beside the data.
public struct MinariDescription: Sendable, Hashable {
    /// The name by which Minari finds it.
    ///
    /// It is the path of the folder below Minari's root and ends with a version, such as
    /// `hopper/medium-v0`. Nil stands for the folder's own name.
    public var datasetID: String?
    /// The environment, by this project's name or Gymnasium's.
    ///
    /// Such as `hopper-v5`. Nil stands for what the data say about it.
    public var environment: String?
    /// Limits of each action dimension.
    ///
    /// Nil stands for what the data say about it, or else -1...1 where all actions lie within, or
    /// else the range of the actions.
    public var actionLimits: [ClosedRange<Float>]?
    /// Steps after which the environment's time limit ends an episode.
    public var maxEpisodeSteps: Int?
    /// The algorithm that made the data.
    public var algorithm: String?
    /// Who made the data.
    public var author: String?
    /// What the data are, for a person.
    public var summary: String?

    /// Nothing but what the data say about themselves.
    public init() {}

    /// What is wrong with a dataset's name, or nil.
    static func problem(withID name: String) -> String? {
        let isWord = { (part: Substring) in
            !part.isEmpty
                && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        }
        let version = name.range(of: "-v[0-9]+$", options: .regularExpression)
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard let version, version.lowerBound > name.startIndex, parts.allSatisfy(isWord) else {
            return
                "'\(name)' is no name of a Minari dataset; it is words joined by / and ends with a "
                + "version, such as 'hopper/medium-v0'"
        }
        return nil
    }

    /// Gymnasium's description of an environment, as its `EnvSpec.to_json` writes it.
    ///
    /// Where to find the environment is known for Gymnasium's robots; others keep their name alone.
    static func environmentSpec(_ name: String, maxEpisodeSteps: Int?) -> String {
        let robots = [
            "ant": "Ant", "halfcheetah": "HalfCheetah", "hopper": "Hopper", "walker2d": "Walker2d",
        ]
        let modules = ["halfcheetah": "half_cheetah"]
        let family = name.lowercased().prefix { $0 != "-" }
        let version = name.lowercased().dropFirst(family.count)
        var identifier = name
        var entry: String?
        var steps = maxEpisodeSteps
        if let robot = robots[String(family)], ["", "-v4", "-v5"].contains(version) {
            // As everywhere here, no version is v4, whose rewards are D4RL's.
            let number = version.isEmpty ? "v4" : String(version.dropFirst())
            identifier = "\(robot)-\(number)"
            entry =
                "gymnasium.envs.mujoco.\(modules[String(family)] ?? String(family))_\(number):"
                + "\(robot)Env"
            steps = steps ?? 1000
        }
        func quoted(_ text: String?) -> String {
            text.flatMap { try? JSONEncoder().encode($0) }
                .map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
        return """
            {"id": \(quoted(identifier)), "entry_point": \(quoted(entry)), \
            "reward_threshold": null, "nondeterministic": false, \
            "max_episode_steps": \(steps.map(String.init) ?? "null"), "order_enforce": true, \
            "disable_env_checker": false, "kwargs": {}, "additional_wrappers": [], \
            "vector_entry_point": null}
            """
    }
}
