import Safetensors

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Where a run of soft actor-critic stands, without its memory: what it is resumed from.
///
/// A file of a few megabytes: the networks, their moments and the temperature, the settings, and
/// for each environment the actions since its episode's start, by which the episode is had again.
public struct SoftActorCriticSnapshot: Sendable, Equatable {
    /// Canonical name of the environment.
    public let environment: String
    /// The run's settings.
    public let settings: SoftActorCriticSettings
    /// What was learnt.
    public let state: SoftActorCriticState
    /// Environment steps taken.
    public let steps: Int
    /// What else whoever runs it wants to find again, in the file's metadata.
    public var notes: [String: String] = [:]

    let places: [SoftActorCriticExplorer.Place]

    init(
        environment: String, settings: SoftActorCriticSettings, state: SoftActorCriticState,
        steps: Int, places: [SoftActorCriticExplorer.Place]
    ) {
        self.environment = environment
        self.settings = settings
        self.state = state
        self.steps = steps
        self.places = places
    }

    /// Another state at the same place of a run.
    package init(replacing state: SoftActorCriticState, in snapshot: SoftActorCriticSnapshot) {
        self.init(
            environment: snapshot.environment, settings: snapshot.settings, state: state,
            steps: snapshot.steps, places: snapshot.places)
    }

    private static let notePrefix = "note."

    /// Writes the snapshot as safetensors.
    ///
    /// - Throws: ``LearningError`` when the file cannot be written, or a number in it is none: a
    ///   file that is there already stays then.
    public func write(to url: URL) throws(LearningError) {
        guard state.isFinite else {
            throw LearningError(
                .unwritableSnapshot, url.path,
                "one of the numbers that were learnt is none; nothing was written")
        }
        var file = SafetensorsFile(name: url.path)
        for (key, value) in notes { file.metadata[Self.notePrefix + key] = value }
        file.metadata.merge(settings.metadata) { $1 }
        file.metadata["environment"] = environment
        file.metadata["steps"] = "\(steps)"
        state.write(to: &file)
        for (index, place) in places.enumerated() {
            file.set(
                "explorer.\(index).actions", place.actions,
                shape: [place.actions.count / state.actionDimension, state.actionDimension])
            file.metadata["explorer.\(index).episodes"] = "\(place.episodes)"
            file.metadata["explorer.\(index).steps"] = "\(place.steps)"
        }
        do {
            try file.write(to: url)
        } catch {
            throw LearningError(.unwritableSnapshot, url.path, error.detail)
        }
    }

    /// Reads a snapshot that ``write(to:)`` wrote.
    ///
    /// - Throws: ``LearningError`` when the file is not one.
    public init(contentsOf url: URL) throws(LearningError) {
        func unreadable(_ detail: String) -> LearningError {
            LearningError(.unreadableSnapshot, url.path, "\(detail); give the snapshot of a run")
        }
        do {
            let file = try SafetensorsFile(contentsOf: url)
            state = try SoftActorCriticState(file)
            guard let settings = SoftActorCriticSettings(file.metadata),
                let environment = file.metadata["environment"],
                let steps = file.metadata["steps"].flatMap({ Int($0) }), steps >= 0,
                settings.hiddenSizes == state.hiddenSizes
            else { throw unreadable("its settings are missing or damaged") }
            try settings.validate()
            self.settings = settings
            self.environment = environment
            self.steps = steps
            let width = state.actionDimension
            places = try (0..<settings.environments).map { index in
                let key = "explorer.\(index)"
                let actions = try file.floats("\(key).actions")
                guard let episodes = file.metadata["\(key).episodes"].flatMap({ Int($0) }),
                    let taken = file.metadata["\(key).steps"].flatMap({ Int($0) }),
                    taken * settings.environments == steps, actions.count <= taken * width,
                    episodes >= 0, actions.count % width == 0, actions.allSatisfy(\.isFinite)
                else { throw unreadable("where its environment \(index) stood is damaged") }
                return .init(episodes: episodes, steps: taken, actions: actions)
            }
            for (key, value) in file.metadata where key.hasPrefix(Self.notePrefix) {
                notes[String(key.dropFirst(Self.notePrefix.count))] = value
            }
        } catch let error as LearningError {
            throw error
        } catch {
            throw unreadable("\(error)")
        }
    }
}

extension SoftActorCriticSettings {
    /// The settings as metadata of a file.
    public var metadata: [String: String] {
        var result = [
            "method": "soft actor-critic",
            "hidden_sizes": hiddenSizes.map(String.init).joined(separator: ","),
            "batch_size": "\(batchSize)", "learning_rate": "\(learningRate)",
            "discount": "\(discount)", "target_rate": "\(targetRate)",
            "reward_scale": "\(rewardScale)", "capacity": "\(capacity)",
            "interval": "\(interval)", "environments": "\(environments)", "warm_up": "\(warmUp)",
            "seed": "\(seed)",
        ]
        result["target_entropy"] = targetEntropy.map { "\($0)" }
        return result
    }

    /// Settings from the metadata of a file; nil where they are incomplete or another method's.
    public init?(_ metadata: [String: String]) {
        func number<Number: LosslessStringConvertible>(_ key: String) -> Number? {
            metadata[key].flatMap(Number.init)
        }
        let sizes = (metadata["hidden_sizes"] ?? "").split(separator: ",").map { Int($0) }
        guard metadata["method"] == "soft actor-critic", !sizes.contains(nil),
            let batchSize: Int = number("batch_size"),
            let learningRate: Double = number("learning_rate"),
            let discount: Double = number("discount"),
            let targetRate: Double = number("target_rate"),
            let rewardScale: Double = number("reward_scale"),
            let capacity: Int = number("capacity"), let interval: Int = number("interval"),
            let environments: Int = number("environments"), let warmUp: Int = number("warm_up"),
            let seed: UInt64 = number("seed")
        else { return nil }
        self.init()
        hiddenSizes = sizes.compactMap(\.self)
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.discount = discount
        self.targetRate = targetRate
        self.rewardScale = rewardScale
        self.capacity = capacity
        self.interval = interval
        self.environments = environments
        self.warmUp = warmUp
        self.seed = seed
        targetEntropy = number("target_entropy")
    }
}
