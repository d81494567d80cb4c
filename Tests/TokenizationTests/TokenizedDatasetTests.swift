import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories

@Suite struct TokenizedDatasetGoldenTests {
    let file: SafetensorsFile
    let trajectories: [Trajectory]
    let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)

    init() throws {
        file = try golden.tensors("dataset.safetensors")
        let observations = try file.floats("raw.observations")
        let actions = try file.floats("raw.actions")
        let rewards = try file.floats("raw.rewards")
        let terminals = try file.integers("raw.terminals")
        let timeouts = try file.integers("raw.timeouts")
        var trajectories: [Trajectory] = []
        var start = 0
        for row in 0..<(rewards.count - 1) {
            let ends = terminals[row] + timeouts[row] > 0
            guard ends || row == rewards.count - 2 else { continue }
            trajectories.append(
                Trajectory(
                    layout: layout, observations: Array(observations[(3 * start)..<(3 * row + 3)]),
                    actions: Array(actions[(2 * start)..<(2 * row + 2)]),
                    rewards: Array(rewards[start...row]),
                    ending: terminals[row] > 0 ? .terminal : ends ? .timeout : .unfinished))
            start = row + 1
        }
        self.trajectories = trajectories
    }

    private var settings: TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 4
        settings.maxPathLength = 20
        settings.binCount = 10
        settings.terminationPenalty = .number(-100)
        settings.mask = .authors
        return settings
    }

    @Test func `joined transitions and returns-to-go agree`() throws {
        let table = TransitionTable(
            trajectories, layout: layout, discount: 0.99, terminationPenalty: -100)
        #expect(try table.lengths == file.integers("path_lengths"))
        let expected = try file.doubles("joined_raw")
        let values = try file.doubles("values")
        #expect(absoluteError(table.values, expected) < 1e-12)
        let column = stride(from: 6, to: table.values.count, by: 7).map { table.values[$0] }
        #expect(absoluteError(column, values) < 1e-12)
        #expect(zip(column, values).allSatisfy { ($0 == 0) == ($1 == 0) })
    }

    @Test func `thresholds, windows, tokens and masks agree`() throws {
        let dataset = try TokenizedDataset(trajectories, settings: settings)
        #expect(absoluteError(dataset.discretizer.edges, try file.doubles("thresholds")) < 1e-12)
        let windows = dataset.windows
        let origins = (0..<windows.count).flatMap { window in
            let (episode, start) = windows.origin(of: window)
            return [episode, start, start + windows.windowLength]
        }
        #expect(try origins == file.integers("indices"))
        var batch = TokenBatch(rows: windows.count, length: windows.length)
        for window in 0..<windows.count { windows.fill(&batch, row: window, window: window) }
        #expect(try batch.inputs.map(Int.init) == file.integers("tokens.x"))
        #expect(try batch.targets.map(Int.init) == file.integers("tokens.y"))
        #expect(try batch.mask.map(Int.init) == file.integers("mask"))
    }

    @Test func `tokens above one byte give the same windows as small ones`() throws {
        let table = TransitionTable(
            trajectories, layout: layout, discount: 0.99, terminationPenalty: nil)
        let fine = try Discretizer(uniformOver: table.values, dimension: 7, binCount: 256)
        let wide = TokenStore(table, discretizer: fine)
        #expect(wide.byteCount == 2 * table.values.count)
        for row in [0, 13, 58] {
            let values = table.values[(7 * row)..<(7 * row + 7)]
            #expect(try wide.transition(row) == fine.encode(values))
        }
        let windows = TokenWindows(wide, windowLength: 2)
        var batch = TokenBatch(rows: 1, length: 13)
        windows.fill(&batch, row: 0, window: 12)  // rows 12, 13: the whole end of an episode
        #expect(
            batch.inputs.map(Int.init) == Array((wide.transition(12) + wide.transition(13))[..<13]))
        let coarse = try Discretizer(uniformOver: table.values, dimension: 7, binCount: 255)
        #expect(TokenStore(table, discretizer: coarse).byteCount == table.values.count)
    }
}

@Suite struct TokenWindowsTests {
    let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)

    /// Episodes whose rewards count the rows from 1, so that a token tells its row.
    private func windows(
        _ episodes: [(Int, Trajectory.Ending)], windowLength: Int,
        change: (inout TokenizedDataset.Settings) -> Void = { _ in }
    ) throws -> TokenWindows {
        var row: Float = 0
        let trajectories = episodes.map { length, ending in
            var trajectory = Trajectory(layout: layout, ending: ending)
            for _ in 0..<length {
                row += 1
                trajectory.append(observation: [row], action: [-row], reward: row)
            }
            return trajectory
        }
        var settings = TokenizedDataset.Settings()
        settings.windowLength = windowLength
        settings.terminationPenalty = .nothing
        settings.binCount = 4
        change(&settings)
        return try TokenizedDataset(trajectories, settings: settings).windows
    }

    private func mask(_ windows: TokenWindows, window: Int) -> [UInt8] {
        var batch = TokenBatch(rows: 1, length: windows.length)
        windows.fill(&batch, row: 0, window: window)
        return batch.mask
    }

    @Test(arguments: [
        (Trajectory.Ending.terminal, [UInt8](repeating: 1, count: 11)),
        (.timeout, [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
        (.unfinished, [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
    ])
    func `termination is learnt from terminal states alone`(
        ending: Trajectory.Ending, expected: [UInt8]
    ) throws {
        let windows = try windows([(5, ending)], windowLength: 3)
        #expect(mask(windows, window: 3) == expected)
        #expect(mask(windows, window: 2) == [UInt8](repeating: 1, count: 11))
    }

    @Test func `the authors' mask lets one target too many through`() throws {
        let windows = try windows([(5, .timeout)], windowLength: 3) {
            $0.mask = .authors
            $0.maxPathLength = 5
        }
        #expect(mask(windows, window: 3) == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0])
    }

    @Test func `a window past the longest path is masked whole, and in bounds`() throws {
        let windows = try windows([(9, .unfinished)], windowLength: 3) {
            $0.mask = .authors
            $0.maxPathLength = 2
        }
        #expect(mask(windows, window: 7) == [UInt8](repeating: 0, count: 11))
    }

    @Test func `every row but the last of an episode starts a window`() throws {
        let windows = try windows(
            [(1, .terminal), (3, .timeout), (1, .terminal), (1, .timeout), (2, .terminal)],
            windowLength: 2)
        let origins = (0..<windows.count).map { windows.origin(of: $0) }
        #expect(origins.map(\.episode) == [1, 1, 4])
        #expect(origins.map(\.start) == [0, 1, 0])
    }

    @Test func `filling one row leaves the others alone`() throws {
        let windows = try windows([(9, .terminal)], windowLength: 2)
        var batch = TokenBatch(rows: 3, length: windows.length)
        windows.fill(&batch, row: 1, window: 8 - 1)
        #expect(batch.inputs[..<7].allSatisfy { $0 == 0 })
        #expect(batch.inputs[14...].allSatisfy { $0 == 0 })
        #expect(batch.inputs[7..<14].contains { $0 != 0 })
    }

    @Test(arguments: [0.0, 0.05, 0.3, 0.99])
    func `a split divides the episodes, the same way for the same seed`(fraction: Double) throws {
        let lengths = (0..<40).map { ($0 % 5 + 1, Trajectory.Ending.timeout) }
        let windows = try windows(lengths, windowLength: 2)
        let (training, heldOut) = windows.split(heldOutFraction: fraction, seed: 7)
        #expect(training.count + heldOut.count == windows.count)
        #expect(Set(training.episodes).isDisjoint(with: heldOut.episodes))
        #expect(!training.episodes.isEmpty)
        #expect(heldOut.episodes.count == [0.0: 0, 0.05: 2, 0.3: 10, 0.99: 31][fraction])
        let again = windows.split(heldOutFraction: fraction, seed: 7)
        #expect(again.heldOut.episodes == heldOut.episodes)
        if fraction == 0.3 {
            let other = windows.split(heldOutFraction: fraction, seed: 8)
            #expect(other.heldOut.episodes != heldOut.episodes)
        }
        for window in 0..<heldOut.count {
            #expect(heldOut.episodes.contains(heldOut.origin(of: window).episode))
        }
    }

    @Test func `a single episode stays for training`() throws {
        let (training, heldOut) = try windows([(9, .timeout)], windowLength: 2)
            .split(heldOutFraction: 0.5, seed: 1)
        #expect(training.count == 8)
        #expect(heldOut.count == 0)
    }

    @Test func `no data, mixed layouts and numbers that are none are refused`() throws {
        let empty = #expect(throws: DiscretizerError.self) { try TokenizedDataset([]) }
        #expect(empty?.code == .tooFewRows)
        var first = Trajectory(layout: layout)
        first.append(observation: [1], action: [2], reward: 3)
        var other = Trajectory(layout: .init(observationDimension: 2, actionDimension: 1))
        other.append(observation: [1, 1], action: [2], reward: 3)
        let mixed = #expect(throws: DiscretizerError.self) { try TokenizedDataset([first, other]) }
        #expect(mixed?.code == .malformed)
        first.append(observation: [1], action: [.nan], reward: 3)
        let broken = #expect(throws: DiscretizerError.self) { try TokenizedDataset([first]) }
        #expect(
            broken?.description.hasPrefix("cannot discretize dimension 1: row 1 is nan") == true)
        let discretizer = try Discretizer(uniformOver: [0, 1, 2], dimension: 3, binCount: 2)
        let unfit = #expect(throws: DiscretizerError.self) {
            try TokenizedDataset([other], discretizer: discretizer)
        }
        #expect(unfit?.code == .malformed)
    }
}
