import Foundation
import Learning
import RandomNumbers
import TestSupport
import Testing

@Suite struct SoftActorCriticTests {
    /// Small networks, none of whose sizes is a whole number of vectors.
    private static func settings(seed: UInt64 = 5, batch: Int = 24) -> SoftActorCriticSettings {
        var settings = SoftActorCriticSettings()
        settings.hiddenSizes = [3, 70]
        settings.batchSize = batch
        settings.seed = seed
        settings.rewardScale = 1.5
        settings.capacity = 1000
        return settings
    }

    private static func state(_ settings: SoftActorCriticSettings) -> SoftActorCriticState {
        var state = SoftActorCriticState(
            observationDimension: 3, actionDimension: 2, hiddenSizes: settings.hiddenSizes,
            seed: settings.seed)
        state.logTemperature = -1
        // Deviations of some actions are clamped: a gradient must not pass there.
        let bias = state.actor.count - 2
        state.actor[bias] = 2.1
        return state
    }

    private static func rows(_ count: Int, seed: UInt64) -> SoftActorCriticRows {
        var generator = SplitMix64(seed: seed)
        func draw(_ count: Int, scale: Float = 2) -> [Float] {
            (0..<count).map { _ in scale * Float(2 * generator.uniform() - 1) }
        }
        var rows = SoftActorCriticRows()
        rows.observations = draw(3 * count)
        rows.actions = draw(2 * count, scale: 1)
        rows.rewards = draw(count)
        rows.terminals = (0..<count).map { $0 % 7 == 0 ? 1 : 0 }
        rows.nextObservations = draw(3 * count)
        return rows
    }

    @Test func `an update's gradients are those of the losses by finite differences`() throws {
        let settings = Self.settings()
        let state = Self.state(settings)
        let memory = Self.rows(90, seed: 3)
        let engine = try CPUSoftActorCritic(state, settings: settings)
        engine.append(memory)
        let updates = try engine.update(1)
        let after = engine.state()
        let plain = PlainSoftActorCritic(state, settings, memory: memory)
        // Moments were 0: the first is a tenth of the gradient.
        func gradient(_ moments: SoftActorCriticState.Moments) -> [Float] {
            moments.first.map { 10 * $0 }
        }
        let critic = PlainSoftActorCritic.gradient(state.critics, plain.criticLoss())
        #expect(relativeError(gradient(after.criticMoments), critic.map(Float.init)) < 1e-4)
        let updated = after.critics.map(Double.init)
        let actor = PlainSoftActorCritic.gradient(state.actor) {
            plain.actorLoss($0, critics: updated).loss
        }
        #expect(relativeError(gradient(after.actorMoments), actor.map(Float.init)) < 1e-4)
        // d/d log α of -log α · mean(log π + target entropy).
        let (loss, logProbability) = plain.actorLoss(state.actor.map(Double.init), critics: updated)
        let temperature = -(logProbability - 2)
        #expect(abs(Double(10 * after.temperatureMoments.first[0]) - temperature) < 1e-4)

        #expect(
            abs(2 * updates.criticLoss - plain.criticLoss()(state.critics.map(Double.init))) < 1e-4)
        #expect(abs(updates.actorLoss - loss) < 1e-4)
        #expect(abs(updates.entropy + logProbability) < 1e-4)
        #expect(abs(updates.temperature - exp(-1)) < 1e-6)
    }

    @Test func `updates are Adam's steps, and the targets follow`() throws {
        let settings = Self.settings()
        var state = Self.state(settings)
        let memory = Self.rows(90, seed: 4)
        // From the third update on: moments and their corrections are not those of the first.
        let engine = try CPUSoftActorCritic(state, settings: settings)
        engine.append(memory)
        _ = try engine.update(2)
        state = engine.state()
        _ = try engine.update(1)
        let after = engine.state()
        let plain = PlainSoftActorCritic(state, settings, memory: memory)
        let critics = PlainSoftActorCritic.adam(
            state.critics, state.criticMoments,
            gradient: PlainSoftActorCritic.gradient(state.critics, plain.criticLoss()), step: 3,
            rate: 3e-4)
        // A step is at most about the rate; it is exact to a thousandth of that.
        for (found, expected) in zip(after.critics, critics) {
            #expect(abs(Double(found) - expected) < 1e-6)
        }
        for index in state.targets.indices {
            let expected =
                state.targets[index] + 0.005 * (after.critics[index] - state.targets[index])
            #expect(abs(after.targets[index] - expected) < 1e-7)
        }
        #expect(after.updates == 3)
        #expect(abs(after.logTemperature - state.logTemperature) < 4e-4)
        #expect(after.logTemperature != state.logTemperature)
    }

    @Test func `the result does not depend on the number of workers`() throws {
        let settings = Self.settings(batch: 150)
        var states: [SoftActorCriticState] = []
        for workers in 1...3 {
            let engine = try CPUSoftActorCritic(
                Self.state(settings), settings: settings, workers: workers)
            engine.append(Self.rows(200, seed: 9))
            _ = try engine.update(4)
            _ = try engine.update(3)
            states.append(engine.state())
        }
        #expect(states.allSatisfy { $0 == states[0] })
        #expect(states[0] != Self.state(settings))
    }

    @Test func `the memory is a ring, and a kept one begins where it did`() throws {
        var settings = Self.settings()
        settings.capacity = 64
        let all = Self.rows(100, seed: 2)
        func part(_ range: Range<Int>) -> SoftActorCriticRows {
            var rows = SoftActorCriticRows()
            rows.observations = Array(all.observations[3 * range.lowerBound..<3 * range.upperBound])
            rows.nextObservations = Array(
                all.nextObservations[3 * range.lowerBound..<3 * range.upperBound])
            rows.actions = Array(all.actions[2 * range.lowerBound..<2 * range.upperBound])
            rows.rewards = Array(all.rewards[range])
            rows.terminals = Array(all.terminals[range])
            return rows
        }
        let whole = try CPUSoftActorCritic(Self.state(settings), settings: settings)
        whole.append(part(0..<50))
        whole.append(part(50..<100))
        let kept = try CPUSoftActorCritic(Self.state(settings), settings: settings, firstRow: 36)
        kept.append(part(36..<100))
        _ = try whole.update(2)
        _ = try kept.update(2)
        #expect(whole.state() == kept.state())
        // Row 99 lies at 99 mod 64: another order draws other rows.
        let moved = try CPUSoftActorCritic(Self.state(settings), settings: settings)
        moved.append(part(36..<100))
        _ = try moved.update(2)
        #expect(moved.state() != whole.state())
    }

    @Test func `a state is read as it was written`() throws {
        let folder = try TemporaryFolder()
        let settings = Self.settings()
        let engine = try CPUSoftActorCritic(Self.state(settings), settings: settings)
        engine.append(Self.rows(90, seed: 4))
        _ = try engine.update(3)
        let file = folder.url.appendingPathComponent("state.safetensors")
        try engine.state().write(to: file, metadata: ["environment": "point"])
        #expect(try SoftActorCriticState(contentsOf: file) == engine.state())
        // Going on from the file is going on.
        let resumed = try CPUSoftActorCritic(
            SoftActorCriticState(contentsOf: file), settings: settings)
        resumed.append(Self.rows(90, seed: 4))
        _ = try engine.update(2)
        _ = try resumed.update(2)
        #expect(resumed.state() == engine.state())

        let bytes = try Data(contentsOf: file)
        for (length, name) in [(9, "short"), (bytes.count - 4, "cut")] {
            let damaged = folder.url.appendingPathComponent(name)
            try bytes.prefix(length).write(to: damaged)
            let error = #expect(throws: LearningError.self) {
                try SoftActorCriticState(contentsOf: damaged)
            }
            #expect(error?.code == .unreadableSnapshot)
        }
    }

    @Test func `numbers of a stream are SplitMix64's, and normal ones have mean 0 and deviation 1`()
    {
        let numbers = CounterNumbers(seed: 12, stream: 3)
        var generator = SplitMix64(seed: numbers.key)
        for index in 0..<5 { #expect(numbers.value(UInt64(index)) == generator.next()) }
        let count = 20_000
        let normal = (0..<count).map { Double(numbers.normal(UInt64($0))) }
        let mean = normal.reduce(0, +) / Double(count)
        let variance = normal.reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
        #expect((0..<1000).allSatisfy { 0..<7 ~= numbers.number(UInt64($0), below: 7) })
    }

    @Test func `settings without meaning are refused by name`() throws {
        func message(_ change: (inout SoftActorCriticSettings) -> Void) throws -> String? {
            var settings = Self.settings()
            change(&settings)
            return #expect(throws: LearningError.self) { try settings.validate() }?.description
        }
        #expect(try message { $0.batchSize = 0 }?.contains("batch size 0") == true)
        #expect(try message { $0.learningRate = .nan }?.contains("learning rate nan") == true)
        #expect(try message { $0.discount = 1 }?.contains("discount 1") == true)
        #expect(try message { $0.environments = 3 }?.contains("50 steps in 3") == true)
        #expect(try message { $0.hiddenSizes = [8, 0] }?.contains("hidden layer 0") == true)
    }
}
