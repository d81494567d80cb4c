import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

@Suite struct HidingTests {
    private let layout = TransitionLayout(observationDimension: 3, actionDimension: 1)
    private let trajectories: [Trajectory]

    init() {
        let seed = UInt64.random(in: 0..<1000)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let layout = layout
        trajectories = [40, 1, 25].map { length in
            var trajectory = Trajectory(layout: layout, ending: .terminal)
            for _ in 0..<length {
                let numbers = (0..<5).map { _ in Float.random(in: -1...1, using: &generator) }
                trajectory.append(
                    observation: numbers[0..<3], action: numbers[3..<4], reward: numbers[4])
            }
            return trajectory
        }
    }

    private func settings(
        _ hiding: Hiding?, _ strategy: Discretizer.Strategy = .uniform
    ) -> TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.strategy = strategy
        settings.binCount = 10
        settings.windowLength = 4
        settings.terminationPenalty = .nothing
        settings.hiding = hiding
        return settings
    }

    @Test func `so many numbers are hidden as asked for, and always the same ones`() {
        let hiding = Hiding(probability: 0.3, seed: 7)
        func hidden(_ hiding: Hiding) -> [Bool] {
            (0..<20_000).map { hiding.hides(row: $0 / 10, column: $0 % 10) }
        }
        let first = hidden(hiding)
        // Five standard deviations.
        #expect(abs(Double(first.count { $0 }) - 6000) < 5 * (20_000 * 0.3 * 0.7).squareRoot())
        // Neighbours in a column and in a row are hidden independently of each other.
        for distance in [1, 10] {
            let both = (0..<(20_000 - distance)).count { first[$0] && first[$0 + distance] }
            #expect(abs(Double(both) - 1800) < 250, "\(distance): \(both)")
        }
        #expect(hidden(hiding) == first)
        #expect(hidden(Hiding(probability: 0.3, seed: 8)) != first)
    }

    @Test(arguments: Discretizer.Strategy.allCases)
    func `a hidden number has a token of its own, all others those of one bin less`(
        strategy: Discretizer.Strategy
    ) throws {
        let hiding = Hiding(probability: 0.5, seed: 3)
        let dataset = try TokenizedDataset(trajectories, settings: settings(hiding, strategy))
        var fewer = settings(nil, strategy)
        fewer.binCount = 9
        let (plain, coarse) = (
            try TokenizedDataset(trajectories, settings: settings(nil, strategy)),
            try TokenizedDataset(trajectories, settings: fewer)
        )
        #expect(dataset.discretizer.hiddenToken == 9 && plain.discretizer.hiddenToken == nil)
        #expect(dataset.discretizer.vocabularySize == plain.discretizer.vocabularySize)
        for row in 0..<66 {
            let tokens = dataset.windows.store.transition(row)
            for column in 0..<3 {
                let expected =
                    hiding.hides(row: row, column: column)
                    ? 9 : coarse.windows.store.transition(row)[column]
                #expect(tokens[column] == expected, "row \(row), column \(column)")
            }
            #expect(tokens[3...] == plain.windows.store.transition(row)[3...])
        }
        // No value is taken for a hidden one, however large.
        for value in [1.0, 1e9, dataset.discretizer.edges.max() ?? 0] {
            #expect(dataset.discretizer.token(for: value, dimension: 0) == 8)
        }
        let restored = try Discretizer(
            strategy: strategy, validating: dataset.discretizer.edges, dimension: 6, binCount: 10,
            hiddenColumns: 0..<3)
        #expect(restored == dataset.discretizer)
    }

    @Test func `what is hidden is no target`() throws {
        let hiding = Hiding(probability: 0.5)
        let (hidden, plain) = (
            try TokenizedDataset(trajectories, settings: settings(hiding)).windows,
            try TokenizedDataset(trajectories, settings: settings(nil)).windows
        )
        var batches = (
            TokenBatch(rows: 1, length: hidden.length), TokenBatch(rows: 1, length: plain.length)
        )
        var left = 0
        for window in 0..<hidden.count {
            hidden.fill(&batches.0, row: 0, window: window)
            plain.fill(&batches.1, row: 0, window: window)
            for index in 0..<hidden.length {
                let isHidden = (index + 1) % 6 < 3 && batches.0.targets[index] == 9
                #expect(batches.0.mask[index] == (isHidden ? 0 : batches.1.mask[index]))
                left += isHidden ? 1 : 0
            }
        }
        #expect(left > 0)
    }

    @Test func `settings keep what is hidden, and say nothing where nothing is`() throws {
        let plain = try JSONEncoder().encode(settings(nil))
        #expect(!String(decoding: plain, as: UTF8.self).contains("hiding"))
        let hidden = settings(Hiding(probability: 0.25, seed: .max))
        let decoded = try JSONDecoder().decode(
            TokenizedDataset.Settings.self, from: JSONEncoder().encode(hidden))
        #expect(decoded == hidden)
    }

    @Test func `a discrete column of the observation keeps its values beside the hidden token`()
        throws
    {
        var settings = settings(Hiding(probability: 0.5))
        settings.discrete = [DiscreteColumn(column: 0, count: 9)]
        let whole = trajectories.map { trajectory in
            var numbers = trajectory.observations
            for row in 0..<trajectory.count { numbers[3 * row] = Float(row % 9) }
            return Trajectory(
                layout: layout, observations: numbers, actions: trajectory.actions,
                rewards: trajectory.rewards, ending: .terminal)
        }
        for strategy in Discretizer.Strategy.allCases {
            settings.strategy = strategy
            let discretizer = try TokenizedDataset(whole, settings: settings).discretizer
            for value in 0..<9 {
                #expect(discretizer.token(for: Double(value), dimension: 0) == value)
                #expect(discretizer.value(of: value, dimension: 0) == Double(value))
            }
        }
        settings.discrete = [DiscreteColumn(column: 0, count: 10)]
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(whole, settings: settings)
        }
    }

    @Test func `what cannot be hidden is refused`() throws {
        func error(_ settings: TokenizedDataset.Settings) -> String? {
            let error = #expect(throws: DiscretizerError.self) {
                try TokenizedDataset(trajectories, settings: settings)
            }
            return error?.detail
        }
        for probability in [0, 1, -0.5, .nan, .infinity] {
            #expect(error(settings(Hiding(probability: probability)))?.contains("between") == true)
        }
        var goals = settings(Hiding(probability: 0.5))
        goals.goalColumns = [0]
        #expect(error(goals)?.contains("goalColumns") == true)
        var single = settings(Hiding(probability: 0.5))
        single.binCount = 1
        #expect(error(single)?.contains("binCount") == true)
        // Bins of a model that sees everything, and the other way round.
        let plain = try TokenizedDataset(trajectories, settings: settings(nil)).discretizer
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(
                trajectories, settings: settings(Hiding(probability: 0.5)), discretizer: plain)
        }
    }
}
