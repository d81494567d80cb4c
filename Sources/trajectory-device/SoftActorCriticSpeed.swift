import ArgumentParser
import CUDA
import Learning
import LearningCUDA
import RandomNumbers

/// The speed of updates of soft actor-critic, in rounds as the trainer asks for them: rows into the
/// memory, 50 updates, the actor back.
struct SoftActorCriticSpeed: Encodable, CustomStringConvertible {
    /// Numbers in observations and actions of some robots.
    enum Sizes: String, CaseIterable, ExpressibleByArgument {
        case hopper, ant, humanoid

        var dimensions: (observation: Int, action: Int) {
            switch self {
            case .hopper: (11, 3)
            case .ant: (27, 8)
            case .humanoid: (376, 17)
            }
        }
    }

    var sizes: String
    var updatesPerSecond: Double
    /// The same without what a round adds: 1,000 updates in one call.
    var updatesPerSecondAlone: Double

    private static let interval = 50

    /// Times rounds for `seconds`; networks of 256 and batches of 256, as published.
    init(on device: Device, sizes: Sizes, seconds: Double) throws {
        let (observation, action) = sizes.dimensions
        let run = try RandomRun(observation: observation, action: action)
        let card = try run.card(on: device)
        try card.append(run.rows(10_000))
        let rows = run.rows(Self.interval)
        func speed(_ seconds: Double, _ count: Int, _ body: () throws -> Void) throws -> Double {
            try body()
            var updates = 0
            let start = ContinuousClock.now
            let end = start + .seconds(seconds)
            repeat {
                try body()
                updates += count
            } while ContinuousClock.now < end
            return Double(updates) / ((ContinuousClock.now - start) / .seconds(1))
        }
        updatesPerSecond = try speed(seconds, Self.interval) {
            try card.append(rows)
            _ = try card.update(Self.interval)
            _ = try card.actor()
        }
        updatesPerSecondAlone = try speed(seconds / 2, 1000) { _ = try card.update(1000) }
        self.sizes = sizes.rawValue
    }

    var description: String {
        "soft actor-critic, \(sizes): \(updatesPerSecond.digits(0)) updates/s in rounds of "
            + "\(Self.interval), \(updatesPerSecondAlone.digits(0)) alone"
    }
}

/// Soft actor-critic on random transitions.
struct RandomRun {
    let observation: Int
    let action: Int
    let state: SoftActorCriticState
    let settings: SoftActorCriticSettings

    init(observation: Int, action: Int, hidden: Int = 256, batch: Int = 256) throws {
        self.observation = observation
        self.action = action
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [hidden, hidden]
        settings.batchSize = batch
        settings.capacity = 100_000
        self.settings = settings
        state = SoftActorCriticState(
            observationDimension: observation, actionDimension: action,
            hiddenSizes: settings.hiddenSizes, seed: 1)
    }

    func card(on device: Device) throws -> CUDASoftActorCritic {
        try CUDASoftActorCritic(state, settings: settings, on: device)
    }

    /// Random transitions, the same for the same count.
    func rows(_ count: Int) -> SoftActorCriticRows {
        var generator = SplitMix64(seed: UInt64(count))
        func numbers(_ width: Int) -> [Float] {
            (0..<(count * width)).map { _ in Float(2 * generator.uniform() - 1) }
        }
        var rows = SoftActorCriticRows()
        rows.observations = numbers(observation)
        rows.actions = numbers(action)
        rows.rewards = numbers(1)
        rows.terminals = numbers(1).map { $0 > 0.9 ? 1 : 0 }
        rows.nextObservations = numbers(observation)
        return rows
    }
}
