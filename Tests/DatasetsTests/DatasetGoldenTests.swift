import Datasets
import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories

let golden = GoldenData(Bundle.module)

@Suite struct DatasetGoldenTests {
    let file: SafetensorsFile

    init() throws {
        file = try golden.tensors("dataset.safetensors")
    }

    private func read(_ name: String) throws -> TrajectoryDataset {
        try TrajectoryDataset(contentsOf: golden.url(name), options: .authors)
    }

    @Test(arguments: ["dataset.hdf5", "dataset_gzip.hdf5"])
    func `raw rows agree, all but the last`(name: String) throws {
        let dataset = try read(name)
        #expect(dataset.layout == TransitionLayout(observationDimension: 3, actionDimension: 2))
        #expect(dataset.rowCount == 59)
        func joined(_ field: (Trajectory) -> [Float]) -> [Float] {
            dataset.trajectories.flatMap(field)
        }
        #expect(try joined(\.observations) == file.floats("raw.observations").dropLast(3))
        #expect(try joined(\.actions) == file.floats("raw.actions").dropLast(2))
        #expect(try joined(\.rewards) == file.floats("raw.rewards").dropLast())
        // An option keeps the last row as well.
        let whole = try TrajectoryDataset(contentsOf: golden.url(name))
        #expect(
            try whole.trajectories.flatMap(\.observations) == file.floats("raw.observations"))
    }

    @Test(arguments: ["dataset.hdf5", "dataset_gzip.hdf5"])
    func `episodes are cut where terminals and timeouts say`(name: String) throws {
        let trajectories = try read(name).trajectories
        #expect(try trajectories.map(\.count) == file.integers("path_lengths"))
        #expect(
            trajectories.map(\.ending)
                == [.terminal, .timeout, .terminal, .terminal, .terminal, .unfinished])
        var ends = [Int](repeating: 0, count: 59)
        var row = -1
        for trajectory in trajectories {
            row += trajectory.count
            ends[row] = trajectory.ending == .unfinished ? 0 : 1
        }
        #expect(try ends == file.integers("terminals_joined"))
    }

    @Test(arguments: ["dataset.hdf5", "dataset_gzip.hdf5"])
    func `from file to tokens, everything agrees`(name: String) throws {
        struct Facts: Decodable {
            let binCount, windowLength, maxPathLength, itemCount: Int
            let discount, terminationPenalty: Double

            enum CodingKeys: String, CodingKey {
                case binCount = "N"
                case windowLength = "sequence_length"
                case maxPathLength = "max_path_length"
                case itemCount = "n_items"
                case discount
                case terminationPenalty = "termination_penalty"
            }
        }
        let facts = try golden.json("dataset.json", as: Facts.self)
        var settings = TokenizedDataset.Settings()
        settings.binCount = facts.binCount
        settings.windowLength = facts.windowLength
        settings.maxPathLength = facts.maxPathLength
        settings.discount = facts.discount
        settings.terminationPenalty = .number(facts.terminationPenalty)
        settings.mask = .authors
        let trajectories = try read(name).trajectories
        let table = TransitionTable(
            trajectories, layout: trajectories[0].layout, discount: facts.discount,
            terminationPenalty: facts.terminationPenalty)
        #expect(absoluteError(table.values, try file.doubles("joined_raw")) < 1e-12)

        let dataset = try TokenizedDataset(trajectories, settings: settings)
        #expect(absoluteError(dataset.discretizer.edges, try file.doubles("thresholds")) < 1e-12)
        let windows = dataset.windows
        #expect(windows.count == facts.itemCount)
        var batch = TokenBatch(rows: windows.count, length: windows.length)
        for window in 0..<windows.count { windows.fill(&batch, row: window, window: window) }
        #expect(try batch.inputs.map(Int.init) == file.integers("tokens.x"))
        #expect(try batch.targets.map(Int.init) == file.integers("tokens.y"))
        #expect(try batch.mask.map(Int.init) == file.integers("mask"))
    }
}
