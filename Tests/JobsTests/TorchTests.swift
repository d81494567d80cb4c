import Datasets
import Foundation
import Jobs
import Safetensors
import TestSupport
import Testing
import Tokenization
import TorchCheckpoints
import Trajectories
import Transformer

/// From a model of ours to PyTorch's files and back.
@Suite struct TorchTests {
    private let folder: TemporaryFolder
    private let dataset: URL
    private let run: URL

    /// A small dataset, a model that has learnt nothing, and bins fitted as the authors' are.
    init() throws {
        folder = try TemporaryFolder()
        dataset = folder.file("data.hdf5")
        run = folder.file("run")
        let seed = UInt64.random(in: 0..<1000)
        print("seed \(seed)")
        let (layout, trajectories) = randomEpisodes(of: 60, seed: seed)
        try TrajectoryDataset(layout: layout, trajectories: trajectories).write(to: dataset)
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 3
        settings.binCount = 10
        settings.terminationPenalty = .number(-100)
        var options = TrajectoryDataset.ReadingOptions()
        options.dropsLastRow = true
        let read = try TrajectoryDataset(contentsOf: dataset, options: options)
        let data = try TokenizedDataset(read.trajectories, settings: settings)
        var shape = TransformerConfiguration.Shape()
        (shape.layerCount, shape.headCount, shape.embeddingWidth) = (1, 2, 8)
        var configuration = TransformerConfiguration(
            layout: layout, contextTransitions: 3, shape: shape)
        configuration.binCount = 10
        try Checkpoint(
            model: TrajectoryTransformer(configuration, seed: seed),
            discretizer: data.discretizer, tokenization: data.settings
        ).write(to: run)
    }

    @Test func `out and in again, model, bins and settings are the same`() throws {
        var export = TorchExportJob(checkpoint: run, output: folder.file("torch"))
        export.datasetName = "hopper-medium-v2"
        let written = try export.run()
        #expect(written.files == ["data_config.pkl", "model_config.pkl", "state_0.pt"])
        var job = TorchImportJob(
            state: folder.file("torch/state_0.pt"), output: folder.file("back"))
        job.dataset = dataset
        let result = try job.run()
        #expect(result.heads == 2 && result.layout == .authors && result.observationDimension == 2)
        let (first, second) = (
            try Checkpoint(directory: run), try Checkpoint(directory: folder.file("back"))
        )
        #expect(first.model.configuration == second.model.configuration)
        #expect(first.model.values == second.model.values)
        #expect(first.discretizer == second.discretizer)
        #expect(first.description.tokenization == second.description.tokenization)
    }

    @Test func `what is not known is asked for, and nothing is left`() throws {
        _ = try TorchExportJob(checkpoint: run, output: folder.file("torch")).run()
        let state = folder.file("torch/state_0.pt")
        try FileManager.default.removeItem(at: folder.file("torch/model_config.pkl"))
        func code(_ change: (inout TorchImportJob) -> Void) -> JobError.Code? {
            var job = TorchImportJob(state: state, output: folder.file("back"))
            change(&job)
            return #expect(throws: JobError.self) { try job.run() }?.code
        }
        #expect(code { $0.dataset = dataset } == .unknownHeads)
        #expect(code { $0.headCount = 2 } == .unknownLayout)
        #expect(
            code {
                $0.headCount = 2
                $0.actionDimension = 1
            } == .unknownBins)
        #expect(
            code {
                $0.headCount = 2
                $0.actionDimension = 4
            } == .mismatch)
        #expect(
            code {
                $0.headCount = 2
                $0.dataset = dataset
                $0.actionDimension = 2
            } == .mismatch)
        #expect(!FileManager.default.fileExists(atPath: folder.file("back").path))
        var job = TorchImportJob(state: state, output: folder.file("torch"))
        job.headCount = 2
        job.dataset = dataset
        #expect(throws: JobError.self) { try job.run() }
    }
}
