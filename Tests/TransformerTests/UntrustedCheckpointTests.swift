import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer

/// What a checkpoint says about itself is held against bounds, itself and its tensors before anything
/// is made as large as it says.
@Suite struct UntrustedCheckpointTests {
    let folder: TemporaryFolder
    let model: URL

    init() throws {
        folder = try TemporaryFolder()
        model = folder.file("model")
        let layout = TransitionLayout(observationDimension: 3, actionDimension: 2)
        var settings = TokenizedDataset.Settings()
        settings.binCount = 4
        settings.windowLength = 3
        settings.terminationPenalty = .nothing
        var shape = TransformerConfiguration.Shape()
        (shape.layerCount, shape.headCount, shape.embeddingWidth) = (1, 1, 4)
        var configuration = TransformerConfiguration(
            layout: layout, contextTransitions: 3, shape: shape)
        configuration.binCount = 4
        let edges = (0...4).flatMap { Array(repeating: Double($0), count: 7) }
        try Checkpoint(
            model: TrajectoryTransformer(configuration, seed: 0),
            discretizer: Discretizer(
                strategy: .uniform, validating: edges, dimension: 7, binCount: 4),
            tokenization: settings
        ).write(to: model)
    }

    /// Changes a value of the JSON file, by the path of its keys, and leaves its checksum out.
    private func set(_ path: [String], _ value: Any) throws {
        let url = model.appendingPathComponent("checkpoint.json")
        func changed(_ object: [String: Any], _ path: ArraySlice<String>) -> [String: Any] {
            var object = object
            guard let key = path.first else { return object }
            object[key] =
                path.count == 1
                ? value : changed(object[key] as? [String: Any] ?? [:], path.dropFirst())
            return object
        }
        var object =
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        object?["checksum"] = nil
        try JSONSerialization.data(withJSONObject: changed(object ?? [:], path[...])).write(to: url)
    }

    @Test func `the checkpoint itself is in order`() throws {
        #expect(try Checkpoint(directory: model).model.configuration.layerCount == 1)
    }

    @Test(
        arguments: [
            (["model", "layerCount"], 1_000_000), (["model", "layerCount"], .max),
            (["model", "layerCount"], 1000), (["model", "layerCount"], 0),
            (["model", "binCount"], .max), (["model", "binCount"], 5),
            (["model", "embeddingWidth"], 1 << 40), (["model", "embeddingWidth"], 8),
            (["model", "headCount"], .max), (["model", "contextLength"], 1 << 40),
            (["model", "contextLength"], 40), (["model", "contextLength"], 13),
            (["model", "goalDimension"], 1), (["model", "goalDimension"], .max),
            (["model", "layout", "observationDimension"], .max),
            (["model", "layout", "observationDimension"], -1),
            (["model", "layout", "actionDimension"], 1 << 62),
            (["model", "layout", "actionDimension"], 3), (["tokenization", "binCount"], 5),
            (["tokenization", "windowLength"], .max), (["tokenization", "windowLength"], 0),
            (["tokenization", "maxPathLength"], -1), (["observationDimensions"], 2), (["step"], -5),
            (["step"], .max), (["tokens"], -1),
        ] as [([String], Int)])
    func `a number that cannot be is refused`(_ path: [String], _ value: Int) throws {
        try set(path, value)
        let error = #expect(throws: (any Error).self) { try Checkpoint(directory: model) }
        let line = error.map { "\($0)" } ?? ""
        #expect(line.hasPrefix("cannot use") && !line.contains("\n"), "\(line)")
    }

    @Test(arguments: ["../model/weights-0.safetensors", "/etc/passwd", "", ".hidden", "a/b"])
    func `a file outside its folder is refused`(_ name: String) throws {
        for key in ["weights", "optimizer"] {
            try set([key], name)
            let error = #expect(throws: CheckpointError.self) {
                try Checkpoint.description(in: model)
            }
            #expect(error?.detail.contains("its files lie beside it") == true)
        }
    }
}
