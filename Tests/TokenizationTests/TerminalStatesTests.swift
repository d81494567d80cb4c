import Foundation
import TestSupport
import Testing
import Tokenization
import Trajectories

/// What terminal states are taken for, on data that look like those people have.
@Suite struct TerminalStatesTests {
    private typealias Episode = (rewards: [Float], ending: Trajectory.Ending)

    private func states(_ episodes: [Episode]) -> TerminalStates {
        var states = TerminalStates()
        for episode in episodes { states.add(episode.rewards, episode.ending) }
        return states
    }

    private func expect(
        _ episodes: [Episode], _ meaning: TerminalStates.Meaning, _ words: String,
        line: Int = #line
    ) {
        let found = states(episodes)
        #expect(found.meaning == meaning, "line \(line)")
        let penalty: TerminationPenalty =
            meaning == .failure || meaning == .none ? .number(-100) : .nothing
        #expect(found.penalty == penalty, "line \(line)")
        #expect(found.explanation?.contains(words) == true, "line \(line): \(found)")
        #expect(found.explanation?.contains("\n") == false)
    }

    /// Rewards of a robot that runs ever faster or slower until it falls.
    private func run(_ length: Int, _ generator: inout SeededGenerator) -> [Float] {
        let pace = generator.float(in: 0...2)
        return (0..<length).map { _ in 1 + pace + generator.float(in: -0.5...0.5) }
    }

    @Test func `robots that fall fail, with a penalty of -100 as before`() {
        var generator = SeededGenerator(seed: 11)
        let falls = (0..<60).map { _ in
            let length = 20 + Int(generator.next() % 200)
            return Episode(run(length, &generator), .terminal)
        }
        expect(falls, .failure, "60 of 60 episodes end in a terminal state")
        let whole = (0..<20).map { _ in Episode(run(1000, &generator), .timeout) }
        expect(falls + whole, .failure, "60 of 80 episodes")
        // A single one may fall at its fastest.
        expect([([1, 2, 3.5], .terminal)], .failure, "termination penalty -100: 1 of 1")
        // Ant at random pays for its actions, and is paid less the longer it lives.
        let ants = (0..<40).map { index in
            let length = index < 8 ? 1000 : 30 + Int(generator.next() % 100)
            return Episode(
                (0..<length).map { _ in generator.float(in: -0.7...0.3) },
                index < 8 ? .timeout : .terminal)
        }
        expect(ants, .failure, "32 of 40")
    }

    @Test func `poles that are paid 1 a step until they fall fail`() {
        let poles = (0..<9).map { Episode(Array(repeating: 1, count: 20 + 7 * $0), .terminal) }
        expect(poles, .failure, "9 of 9")
        // As does who is punished once, at the end.
        let punished = (0..<9).map {
            Episode([0, 0] + Array(repeating: 0, count: $0) + [-1], .terminal)
        }
        expect(punished, .failure, "9 of 9")
    }

    @Test(arguments: [(Float(0), Float(1)), (-1, 0)])
    func `a reward at the goal alone, as in AntMaze, Fetch and mazes, is kept`(
        step: Float, goal: Float
    ) {
        let reached = (0..<3).map { index in
            Episode(Array(repeating: step, count: 40 + 13 * index) + [goal], .terminal)
        }
        let missed = (0..<7).map { _ in Episode(Array(repeating: step, count: 700), .timeout) }
        expect(reached, .goal, "no termination penalty: in 3 of 3 episodes")
        expect(reached + missed, .goal, "the last reward is the highest")
        expect(Array(reached.prefix(1)), .goal, "in 1 of 1")
    }

    @Test func `where data go on at a goal, episodes of one row do not count`() {
        let ways = (0..<3).map { _ in Episode([0, 0, 0, 1], .terminal) }
        let rests = (0..<60).map { _ in Episode([1], .terminal) }
        expect(ways + rests, .goal, "in 3 of 3 episodes that end in a terminal state")
        expect(rests, .timeLimit, "60 of 60 terminal states")
    }

    @Test func `rising counts of tasks solved, as in kitchens, are kept`() {
        // As long as the demonstrations took; some solve nothing that is counted.
        let solved = (0..<12).map { index -> Episode in
            let tasks = index % 5
            return (
                (0...tasks).flatMap { Array(repeating: Float($0), count: 30 + 3 * index) },
                .terminal
            )
        }
        expect(solved, .goal, "in 12 of 12")
    }

    @Test func `dense rewards that peak at the goal are kept where there are enough of them`() {
        var generator = SeededGenerator(seed: 3)
        let ways = (0..<10).map { index -> Episode in
            let length = 30 + index * 5
            return (
                (0..<length).map {
                    0.6 * Float($0) / Float(length) + generator.float(in: 0...0.001)
                }, .terminal
            )
        }
        expect(ways, .goal, "in 10 of 10")
        expect(Array(ways.prefix(7)), .failure, "7 of 7")
    }

    @Test func `terminal states at the time limit, as in adroit's files, are none`() {
        var generator = SeededGenerator(seed: 5)
        let limited = (0..<25).map { _ in
            Episode((0..<100).map { _ in generator.float(in: -1...9) }, .terminal)
        }
        expect(limited, .timeLimit, "25 of 25 terminal states lie at the greatest length, 100")
        // One in ten may be cut short.
        expect(
            limited + [([1, 2, 3], .terminal)], .timeLimit, "25 of 26 terminal states")
        // Two of a length may be chance; and a fall is always before the limit.
        expect(
            [(run(30, &generator), .terminal), (run(30, &generator), .terminal)], .failure, "2 of 2"
        )
        let falls = (0..<5).map { _ in Episode(run(80, &generator), .terminal) }
        expect(falls + [(run(100, &generator), .timeout)], .failure, "5 of 6")
    }

    @Test func `the end of a costly way is a goal, unless it is punished`() {
        let ways = (0..<4).map { Episode(Array(repeating: -1, count: 90 + $0), .terminal) }
        let lost = (0..<4).map { _ in Episode(Array(repeating: -1, count: 200), .timeout) }
        expect(ways + lost, .goal, "steps cost")
        let crashes = ways.map { Episode($0.rewards + [-50], .terminal) }
        expect(crashes + lost, .failure, "4 of 8")
    }

    @Test func `without a terminal state there is nothing to say`() {
        let states = states([([1, 2], .timeout), ([], .terminal), ([3], .unfinished)])
        #expect(states.meaning == .none && states.explanation == nil)
        #expect(states.penalty == .number(-100))
    }

    @Test func `the decision is in tokens, settings and token file; a set penalty stands`() throws {
        let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
        let episodes = (0..<4).map { index -> Trajectory in
            let rewards = [Float](repeating: 0, count: 5 + index) + [1]
            return Trajectory(
                layout: layout, observations: rewards.indices.map { Float($0) },
                actions: rewards.indices.map { Float($0 % 3) }, rewards: rewards, ending: .terminal)
        }
        var settings = TokenizedDataset.Settings()
        settings.binCount = 4
        let decided = try TokenizedDataset(episodes, settings: settings)
        #expect(decided.settings.terminationPenalty == .nothing)
        func lowest(_ dataset: TokenizedDataset) -> Double {
            // The first edge of the reward's bins.
            dataset.discretizer.edges[layout.rewardIndex]
        }
        #expect(lowest(decided) == 0)
        settings.terminationPenalty = .number(-100)
        let punished = try TokenizedDataset(episodes, settings: settings)
        #expect(lowest(punished) == -100)

        let folder = try TemporaryFolder()
        let url = folder.file("data.tokens")
        settings.terminationPenalty = .automatic
        let description = try TokenFile.write(
            EpisodeList(layout: layout, trajectories: episodes), settings: settings,
            source: .init(name: "data", format: "d4rl"), to: url)
        #expect(description.terminationPenalty == nil)
        let mapped = try TokenizedDataset(TokenFile(contentsOf: url), settings: settings)
        #expect(mapped.settings.terminationPenalty == .nothing)
        #expect(mapped.discretizer == decided.discretizer)
    }

    @Test func `the penalty is written as a number, null or auto, and read from older files`()
        throws
    {
        for penalty in [TerminationPenalty.automatic, .nothing, .number(-2.5)] {
            var settings = TokenizedDataset.Settings()
            settings.terminationPenalty = penalty
            let data = try JSONEncoder().encode(settings)
            #expect(String(decoding: data, as: UTF8.self).contains("\"terminationPenalty\":"))
            #expect(
                try JSONDecoder().decode(TokenizedDataset.Settings.self, from: data) == settings)
        }
        #expect("\(TerminationPenalty(nil)) \(TerminationPenalty(-100))" == "null -100")
        let older =
            #"{"discount":0.99,"windowLength":10,"binCount":100,"strategy":"quantile","#
            + #""mask":"terminal"}"#
        let settings = try JSONDecoder().decode(
            TokenizedDataset.Settings.self, from: Data(older.utf8))
        #expect(settings.terminationPenalty == .nothing)
        let unknown = Data(older.replacing("}", with: #","terminationPenalty":"often"}"#).utf8)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TokenizedDataset.Settings.self, from: unknown)
        }
        var broken = settings
        broken.terminationPenalty = .number(.nan)
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset([], settings: broken)
        }
    }
}
