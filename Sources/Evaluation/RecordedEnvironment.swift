import Environments
import Episodes
import Foundation

/// The environment that data were recorded in, as they describe it themselves.
///
/// Minari keeps Gymnasium's `EnvSpec` as the attribute `env_spec`: beside a name the arguments with
/// which the environment was made. With others than the name stands for it is another environment.
public struct RecordedEnvironment: Sendable, Hashable {
    /// Its name: one by which it can be made here, or one that nothing here has, such as
    /// `Hopper-v5(healthy_reward=0)`; nil where the data name none.
    public private(set) var name: String?
    /// What a user should know about it, a line each.
    public private(set) var notes: [String] = []

    /// Arguments that change pictures alone.
    private static let ofPictures: Set<String> = [
        "render_mode", "camera_id", "camera_name", "default_camera_config", "width", "height",
    ]

    /// The environment that the attributes of `file` describe.
    public init(_ attributes: [String: String], file: String) {
        name = attributes[DatasetEnvironment.attribute]
        guard let spec = Self.object(attributes["env_spec"]), let id = spec["id"] as? String,
            name ?? id == id
        else { return }
        name = id
        guard let known = try? EnvironmentRegistry.make(id) else { return }
        var settings = Self.arguments(spec)
        if let maze = known as? any MazeSimulation {
            describe(&settings, of: maze, id: id, file: file)
        } else {
            if let steps = spec["max_episode_steps"] as? Int,
                steps != known.specification.maximumEpisodeSteps
            {
                settings["max_episode_steps"] = steps
            }
            let text = Self.text(settings)
            if !settings.isEmpty {
                name = "\(id)(\(text))"
                notes.append(
                    "the environment of '\(file)' was made with \(text): it is not "
                        + "\(known.specification.identifier), and cannot be made here")
            }
        }
        noteEvaluation(Self.object(attributes["eval_env_spec"]), beside: spec, file: file)
    }

    /// Takes from a maze's settings those that can be had here.
    private mutating func describe(
        _ settings: inout [String: Any], of maze: any MazeSimulation, id: String, file: String
    ) {
        let isDense = (settings["reward_type"] as? String).map { $0 == "dense" }
        let ownIsDense = maze.rules.reward == .dense
        let rows = (settings["maze_map"] as? [[Any]])?.map { $0.map { "\($0)" }.joined() }
        let map = rows.flatMap { try? MazeMap($0.joined(separator: "\n"), name: id) }
        if let rows, let map, map != maze.map || isDense ?? ownIsDense != ownIsDense {
            let kind = maze.specification.family + (isDense ?? ownIsDense ? "-dense" : "")
            let own = "\(kind):\(rows.joined(separator: ";"))"
            name = own
            notes.append("the map or reward of '\(file)' is not \(id)'s: its environment is \(own)")
        }
        if map != nil { settings["maze_map"] = nil }
        if map != nil || isDense == ownIsDense { settings["reward_type"] = nil }
        if settings["continuing_task"] as? Bool == maze.rules.isContinuing {
            settings["continuing_task"] = nil
        }
        if settings["reset_target"] as? Bool == maze.rules.replacesGoal {
            settings["reset_target"] = nil
        }
        if !settings.isEmpty {
            notes.append(
                "the environment of '\(file)' was made with \(Self.text(settings)), the one of "
                    + "that name here is made without")
        }
    }

    /// Says where the data's authors mean it to be evaluated, if elsewhere.
    private mutating func noteEvaluation(
        _ evaluation: [String: Any]?, beside spec: [String: Any], file: String
    ) {
        guard let evaluation, let id = evaluation["id"] as? String else { return }
        let (own, other) = (Self.arguments(spec), Self.arguments(evaluation))
        let differing = Set(own.keys).union(other.keys).filter {
            Self.text([$0: own[$0] ?? NSNull()]) != Self.text([$0: other[$0] ?? NSNull()])
        }
        guard id != spec["id"] as? String || !differing.isEmpty else { return }
        let settings = Self.text(other.filter { differing.contains($0.key) })
        let missing = differing.filter { other[$0] == nil }.sorted().joined(separator: ", ")
        notes.append(
            "'\(file)' is meant to be evaluated in another environment than its own: \(id)"
                + (settings.isEmpty ? "" : " with \(settings)")
                + (missing.isEmpty ? "" : " without \(missing)"))
    }

    /// What an environment was made with beside its name, wrappers included.
    private static func arguments(_ spec: [String: Any]) -> [String: Any] {
        var result = (spec["kwargs"] as? [String: Any] ?? [:]).filter {
            !ofPictures.contains($0.key) && !($0.value is NSNull)
        }
        let wrappers = (spec["additional_wrappers"] as? [Any] ?? []).map {
            ($0 as? [String: Any])?["name"] as? String ?? "\($0)"
        }
        if !wrappers.isEmpty { result["additional_wrappers"] = wrappers }
        return result
    }

    private static func object(_ text: String?) -> [String: Any]? {
        text.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }

    /// Settings as `name=value`, by name.
    private static func text(_ settings: [String: Any]) -> String {
        settings.sorted { $0.key < $1.key }.map { key, value in
            let json = try? JSONSerialization.data(
                withJSONObject: value,
                options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
            return "\(key)=" + (json.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)")
        }.joined(separator: ", ")
    }
}
