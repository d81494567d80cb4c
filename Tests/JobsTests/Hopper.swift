import Foundation
import Jobs
import Planning
import TestSupport
import Tokenization
import Training
import Transformer

/// Data of a random policy in Hopper and a model that has hardly learnt from them, made once.
final class Hopper: Sendable {
    let folder: TemporaryFolder
    var data: URL { folder.file("data.hdf5") }
    var model: URL { folder.file("model") }

    private init() async throws {
        folder = try TemporaryFolder()
        var collection = CollectionJob(
            .policy("random", environment: "hopper"), output: folder.file("data.hdf5"))
        collection.steps = 400
        collection.workers = 1
        _ = try await collection.run()
        var training = TrainingJob(
            dataset: folder.file("data.hdf5"), output: folder.file("model"))
        training.settings.model.layerCount = 1
        training.settings.model.headCount = 1
        training.settings.model.embeddingWidth = 8
        training.settings.tokenization.windowLength = 3
        training.settings.training.batchSize = 4
        training.settings.training.steps = 2
        try training.run()
    }

    private static let making = Task { try await Hopper() }

    /// The files.
    static var shared: Hopper {
        get async throws { try await making.value }
    }

    /// The model, planning one short plan at a time.
    var planner: PlanningModel {
        var planner = PlanningModel(checkpoint: model)
        planner.options.horizon = 2
        planner.options.beamWidth = 2
        planner.options.contextTransitions = 2
        return planner
    }
}
