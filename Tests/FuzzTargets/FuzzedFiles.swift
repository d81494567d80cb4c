import Datasets
import Environments
import Episodes
import Experiments
import Foundation
import Jobs
import Safetensors
import Tokenization
import Training
import Trajectories
import Transformer

/// Files that hold data or words.
enum FuzzedFiles {
    static func safetensors(_ bytes: [UInt8]) throws {
        let file = try SafetensorsFile(data: Data(bytes), name: "fuzzed")
        for name in file.tensors.keys {
            _ = try? file.floats(name)
            _ = try? file.doubles(name)
            _ = try? file.integers(name)
        }
        _ = file.serialized()
    }

    static func tokens(_ bytes: [UInt8]) throws {
        try? tokens(FuzzScratch.write(bytes, "tokens"))
        try tokens(FuzzScratch.write(TokenFile.mendingChecksums(of: bytes), "tokens"))
    }

    private static func tokens(_ url: URL) throws {
        let file = try TokenFile(contentsOf: url)
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 3
        let data = try TokenizedDataset(file, settings: settings)
        var batch = TokenBatch(rows: 1, length: data.windows.length)
        for window in 0..<min(data.windows.count, 16) {
            data.windows.fill(&batch, row: 0, window: window)
        }
    }

    static func settings(_ bytes: [UInt8]) throws {
        let settings = try TrainingSettings(contentsOf: FuzzScratch.write(bytes, "settings.yaml"))
        _ = try settings.yaml()
        guard settings.problem == nil else { return }
        let layout = TransitionLayout(observationDimension: 11, actionDimension: 3)
        let configuration = settings.configuration(layout: layout)
        guard configuration.problem == nil else { return }
        _ = configuration.memoryNeed(copies: 9)
    }

    static func experiment(_ bytes: [UInt8]) throws {
        let file = try FuzzScratch.write(bytes, "experiment.yaml")
        let definition = try ExperimentDefinition(contentsOf: file)
        _ = try Experiment(definition, quick: true)
    }

    static func maze(_ bytes: [UInt8]) throws {
        // A model of many walls takes its time to make; that is no fault.
        guard bytes.count < 400 else { return }
        let file = try FuzzScratch.write(bytes, "maze.txt")
        let environment = try EnvironmentRegistry.make("pointmaze:\(file.path)")
        for seed: UInt64 in 0..<3 {
            _ = environment.reset(seed: seed)
            _ = environment.step([0.5, -0.5])
        }
    }

    /// Read by another process; in this one where FUZZ_HDF5 is `in-process`, so that a driver whose
    /// children may die gets through many files.
    static func hdf5(_ bytes: [UInt8]) throws {
        var options = TrajectoryDataset.ReadingOptions()
        options.maxEpisodeLength = 7
        if ProcessInfo.processInfo.environment["FUZZ_HDF5"] != "in-process" {
            var reader = DatasetReader.thisProgram
            reader.patience = 3
            options.reader = reader
        }
        let file = try FuzzScratch.write(bytes, "data.hdf5")
        let data = try TrajectoryDataset(contentsOf: file, options: options)
        _ = DatasetSummary(data)
    }
}
