import ArgumentParser
import CUDA
import Engines
import Learning
import LearningCUDA

/// How a behaviour policy is trained.
enum BehaviorMethod: String, CaseIterable, ExpressibleByArgument {
    /// Soft actor-critic.
    case sac
    /// Augmented random search.
    case ars
}

/// The options of soft actor-critic.
struct ActorCriticOptions: ParsableArguments {
    private static let defaults = SoftActorCriticSettings()

    @Option(
        help: "What computes: cpu, cuda (an NVIDIA card), or auto: a card if there is one.")
    var device: ComputeDevice?

    @Option(help: "Environments that are acted in at once (default: \(defaults.environments)).")
    var environments: Int?

    @Option(help: "Steps of a round, and updates of it (default: \(defaults.interval)).")
    var interval: Int?

    @Option(help: "Transitions of a batch (default: \(defaults.batchSize)).")
    var batchSize: Int?

    @Option(help: "First steps, of uniform actions (default: \(defaults.warmUp)).")
    var warmUp: Int?

    @Option(help: "Transitions that the memory holds (default: \(defaults.capacity)).")
    var capacity: Int?

    @Option(help: "Learning rate of Adam (default: \(defaults.learningRate)).")
    var learningRate: Double?

    @Option(help: "What rewards are multiplied by (default: \(defaults.rewardScale)).")
    var rewardScale: Double?

    @Option(help: "Seconds after which training ends, as if it had all its steps.")
    var timeLimit: Double?

    @Flag(help: "Keep the memory beside the output, so that --resume goes on exactly.")
    var keepMemory = false

    @Flag(help: "Go on with the run whose snapshot lies beside the output.")
    var resume = false

    /// The options as the algorithm takes them.
    func settings(seed: UInt64) -> SoftActorCriticSettings {
        var settings = SoftActorCriticSettings()
        settings.environments = environments ?? settings.environments
        settings.interval = interval ?? settings.interval
        settings.batchSize = batchSize ?? settings.batchSize
        settings.warmUp = warmUp ?? settings.warmUp
        settings.capacity = capacity ?? settings.capacity
        settings.learningRate = learningRate ?? settings.learningRate
        settings.rewardScale = rewardScale ?? settings.rewardScale
        settings.seed = seed
        return settings
    }

    /// The name of an option that is given, if one is.
    var given: String? {
        let options: [(String, Bool)] = [
            ("--device", device != nil), ("--environments", environments != nil),
            ("--interval", interval != nil), ("--batch-size", batchSize != nil),
            ("--warm-up", warmUp != nil), ("--capacity", capacity != nil),
            ("--learning-rate", learningRate != nil), ("--reward-scale", rewardScale != nil),
            ("--time-limit", timeLimit != nil), ("--keep-memory", keepMemory), ("--resume", resume),
        ]
        return options.first { $0.1 }?.0
    }
}

/// The options of augmented random search.
struct RandomSearchOptions: ParsableArguments {
    private static let defaults = RandomSearch.Settings()

    @Option(help: "Directions tried in an iteration (default: \(defaults.directions)).")
    var directions: Int?

    @Option(help: "Directions used of them, the best (default: \(defaults.topDirections)).")
    var topDirections: Int?

    @Option(help: "Step size (default: \(defaults.stepSize)).")
    var stepSize: Double?

    @Option(help: "Size of the disturbance along a direction (default: \(defaults.noise)).")
    var noise: Double?

    /// The options as the algorithm takes them.
    func settings(seed: UInt64) -> RandomSearch.Settings {
        var settings = RandomSearch.Settings()
        settings.directions = directions ?? settings.directions
        settings.topDirections = topDirections ?? settings.topDirections
        settings.stepSize = stepSize ?? settings.stepSize
        settings.noise = noise ?? settings.noise
        settings.seed = seed
        return settings
    }

    /// The name of an option that is given, if one is.
    var given: String? {
        let options: [(String, Bool)] = [
            ("--directions", directions != nil), ("--top-directions", topDirections != nil),
            ("--step-size", stepSize != nil), ("--noise", noise != nil),
        ]
        return options.first { $0.1 }?.0
    }
}

extension ComputeDevice {
    /// What computes soft actor-critic on a card, and its name; nil for the processor.
    func actorCritic() throws -> (SoftActorCriticTrainer.EngineMaker, String)? {
        let card: CUDA.Device? =
            switch self {
            case .cpu: nil
            case .cuda: try CUDA.Device()
            case .auto: try? CUDA.Device()
            }
        return card.map { card in
            ({ try CUDASoftActorCritic($0, settings: $1, firstRow: $2, on: card) }, card.name)
        }
    }
}
