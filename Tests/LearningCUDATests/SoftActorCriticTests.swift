import CUDA
import EmulatedCUDA
import Learning
import LearningCUDA
import RandomNumbers
import Testing

/// The device that the CPU emulates, whose memory is NaN until it is written.
func emulatedDevice() throws -> Device {
    try Device(driver: Driver(name: "emulated") { emulated_cuda_symbol($0) })
}

/// The card's engine beside the processor's: same state, same transitions, same random numbers.
@Suite struct SoftActorCriticTests {
    /// Sizes of a small run.
    struct Case: Sendable, CustomStringConvertible {
        var observation: Int
        var action: Int
        var hidden: Int
        var batch: Int
        var capacity = 1000

        var description: String { "\(observation) + \(action), \(hidden) hidden, batch \(batch)" }

        var settings: SoftActorCriticSettings {
            var settings = SoftActorCriticSettings()
            settings.hiddenSizes = [hidden, hidden]
            settings.batchSize = batch
            settings.capacity = capacity
            settings.rewardScale = 1.5
            settings.seed = 7
            return settings
        }

        var state: SoftActorCriticState {
            SoftActorCriticState(
                observationDimension: observation, actionDimension: action,
                hiddenSizes: [hidden, hidden], seed: 5)
        }

        /// Random transitions, some of them terminal.
        func rows(_ count: Int, seed: UInt64) -> SoftActorCriticRows {
            var generator = SplitMix64(seed: seed)
            var rows = SoftActorCriticRows()
            func normals(_ count: Int) -> [Float] {
                (0..<count).map { _ in Float(generator.normal()) }
            }
            rows.observations = normals(count * observation)
            rows.actions = (0..<(count * action)).map { _ in Float(2 * generator.uniform() - 1) }
            rows.rewards = normals(count)
            rows.terminals = (0..<count).map { _ in generator.uniform() < 0.2 ? 1 : 0 }
            rows.nextObservations = normals(count * observation)
            return rows
        }
    }

    /// Hopper's sizes with small layers, and sizes that fill no tile.
    private static let cases = [
        Case(observation: 11, action: 3, hidden: 64, batch: 64),
        Case(observation: 37, action: 17, hidden: 44, batch: 19),
    ]

    /// The length of the difference over that of `expected`.
    private func distance(_ actual: [Float], _ expected: [Float]) -> Double {
        func squares(_ values: some Sequence<Float>) -> Double {
            values.reduce(0) { $0 + Double($1) * Double($1) }
        }
        guard actual.count == expected.count else { return .infinity }
        return (squares(zip(actual, expected).map { $0 - $1 }) / squares(expected)).squareRoot()
    }

    /// Expects states that differ by rounding.
    ///
    /// Parameters and moments may differ as vectors by 5e-6 of their length. Seen: 7e-7 of moments,
    /// 3e-8 of parameters.
    private func expectClose(_ actual: SoftActorCriticState, _ expected: SoftActorCriticState) {
        let parts: [(String, KeyPath<SoftActorCriticState, [Float]>)] = [
            ("actor", \.actor), ("critics", \.critics), ("targets", \.targets),
            ("actor's first moments", \.actorMoments.first),
            ("actor's second moments", \.actorMoments.second),
            ("critics' first moments", \.criticMoments.first),
            ("critics' second moments", \.criticMoments.second),
        ]
        for (name, part) in parts {
            let distance = distance(actual[keyPath: part], expected[keyPath: part])
            #expect(distance < 5e-6, "\(name)")
        }
        #expect(abs(actual.logTemperature - expected.logTemperature) < 1e-6)
        #expect(
            abs(actual.temperatureMoments.first[0] - expected.temperatureMoments.first[0]) < 1e-5)
        #expect(actual.updates == expected.updates)
    }

    @Test(arguments: cases)
    func `one update and twenty lead where the processor's lead`(of: Case) throws {
        print("\(of), seeds 5, 7, 11")
        let cpu = try CPUSoftActorCritic(of.state, settings: of.settings, workers: 1)
        let card = try CUDASoftActorCritic(
            of.state, settings: of.settings, on: emulatedDevice())
        for engine in [cpu, card] as [any SoftActorCriticEngine] {
            try engine.append(of.rows(300, seed: 11))
        }
        for count in [1, 19] {
            let (expected, found) = (try cpu.update(count), try card.update(count))
            #expect(found.count == count)
            for (name, value) in [
                ("critic loss", \SoftActorCriticUpdates.criticLoss), ("Q", \.q),
                ("actor loss", \.actorLoss), ("entropy", \.entropy), ("temperature", \.temperature),
            ] {
                let (a, b) = (found[keyPath: value], expected[keyPath: value])
                #expect(abs(a - b) < 1e-4 * max(1, abs(b)), "\(name): \(a), \(b)")
            }
            expectClose(try card.state(), cpu.state())
            #expect(try card.actor() == card.state().actor)
        }
    }

    @Test(arguments: [0, 73])
    func `the memory is a ring whose oldest rows give way, wherever a run's rows begin`(
        firstRow: Int
    ) throws {
        print("seeds 5, 7 and 1 to 3")
        let of = Case(observation: 3, action: 2, hidden: 32, batch: 32, capacity: 50)
        let cpu = try CPUSoftActorCritic(
            of.state, settings: of.settings, firstRow: firstRow, workers: 1)
        let card = try CUDASoftActorCritic(
            of.state, settings: of.settings, firstRow: firstRow, on: emulatedDevice())
        // A part of it, or all where the run goes on; then past the end; then more than it holds.
        for (seed, count) in [(1, firstRow == 0 ? 30 : 50), (2, 35), (3, 120)] {
            for engine in [cpu, card] as [any SoftActorCriticEngine] {
                try engine.append(of.rows(count, seed: UInt64(seed)))
                _ = try engine.update(1)
            }
            expectClose(try card.state(), cpu.state())
        }
    }

    @Test func `a state goes to the card and back unchanged, and goes on as if nothing had been`()
        throws
    {
        print("seeds 3, 5, 7")
        let of = Self.cases[1]
        let device = try emulatedDevice()
        let whole = try CUDASoftActorCritic(of.state, settings: of.settings, on: device)
        #expect(try whole.state() == of.state)
        let rows = of.rows(40, seed: 3)
        try whole.append(rows)
        _ = try whole.update(2)
        let half = try whole.state()
        let other = try CUDASoftActorCritic(half, settings: of.settings, on: device)
        #expect(try other.state() == half)
        try other.append(rows)
        for engine in [whole, other] { _ = try engine.update(12) }
        #expect(try whole.state() == other.state())
    }

    @Test func `what a card cannot compute is refused in one line`() throws {
        let device = try emulatedDevice()
        for (sizes, batch) in [
            ([64, 32], 64), ([30, 30], 64), ([64], 64), ([512, 512], 100_000),
        ] {
            let state = SoftActorCriticState(
                observationDimension: 3, actionDimension: 1, hiddenSizes: sizes, seed: 0)
            var settings = SoftActorCriticSettings()
            settings.hiddenSizes = sizes
            settings.batchSize = batch
            #expect(throws: LearningError.self) {
                _ = try CUDASoftActorCritic(state, settings: settings, on: device)
            }
        }
        let of = Self.cases[0]
        let empty = try CUDASoftActorCritic(of.state, settings: of.settings, on: device)
        #expect(throws: LearningError.self) { _ = try empty.update(1) }
    }
}
