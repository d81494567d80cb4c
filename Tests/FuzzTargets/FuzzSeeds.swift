import Datasets
import Episodes
import Foundation
import Learning
import Policies
import RandomNumbers
import Safetensors
import Tokenization
import Trajectories
import Transformer

/// Small files that are in order.
enum FuzzSeeds {
    /// As they are written, but for their checksums: mutations shall get behind these.
    static func of(_ target: FuzzTarget) throws -> [(String, Data)] {
        try sealed(target).map { ($0, unsealed($1)) }
    }

    /// A file whose checksums have another name, and so are none.
    private static func unsealed(_ data: Data) -> Data {
        var data = data
        let (name, other) = (Data(#""checksum"#.utf8), Data(#""checksun"#.utf8))
        while let place = data.range(of: name) { data.replaceSubrange(place, with: other) }
        return data
    }

    private static func sealed(_ target: FuzzTarget) throws -> [(String, Data)] {
        switch target {
        case .safetensors: return [("tensors", tensors.serialized())]
        case .tokens: return [("tokens", try tokens())]
        case .checkpoint, .weights:
            let folder = FuzzScratch.folder.appendingPathComponent("checkpoint")
            try? FileManager.default.removeItem(at: folder)
            try checkpoint(in: folder)
            let name = target == .weights ? "weights-0.safetensors" : "checkpoint.json"
            return [(name, try Data(contentsOf: folder.appendingPathComponent(name)))]
        case .policy:
            return [
                ("linear", try written { try linear.write(to: $0) }),
                ("neural", try written { try neural().write(to: $0) }),
                ("gaussian", try written { try gaussian.write(to: $0) }),
            ]
        case .critic: return [("critic", try written { try critic().write(to: $0) })]
        case .dynamics: return [("dynamics", try written { try dynamics().write(to: $0) })]
        case .settings:
            return [
                ("all", Data(settings.utf8)), ("few", Data("training: {steps: 5}\n".utf8)),
            ]
        case .experiment: return [("definition", Data(experiment.utf8))]
        case .maze:
            return [
                "#####\n#r.g#\n#####\n", "11111\n1cc01\n11111\n", "11111\n10001\n1rgc1\n11111\n",
            ].enumerated().map { ("map\($0)", Data($1.utf8)) }
        case .torch: return try FuzzedPython.torchSeeds(written)
        case .pickle: return FuzzedPython.pickleSeeds
        case .npz: return try FuzzedPython.npzSeeds(written)
        case .hdf5: return try hdf5()
        case .live: return FuzzedLive.seeds.map { ($0, Data($1.utf8)) }
        }
    }

    private static func written(_ write: (URL) throws -> Void) throws -> Data {
        let url = FuzzScratch.folder.appendingPathComponent("seed")
        try write(url)
        return try Data(contentsOf: url)
    }

    // MARK: - Data

    /// Two episodes of random numbers.
    static let trajectories: [Trajectory] = {
        var generator = PCG64(seed: 7)
        return [Trajectory.Ending.terminal, .timeout].map { ending in
            Trajectory(
                layout: FuzzedModels.layout,
                observations: (0..<18).map { _ in Float(generator.normal()) },
                actions: (0..<12).map { _ in Float(generator.uniform(-1, 1)) },
                rewards: (0..<6).map { _ in Float(generator.normal()) }, ending: ending)
        }
    }()

    private static var data: TrajectoryDataset {
        TrajectoryDataset(
            layout: FuzzedModels.layout, trajectories: trajectories,
            attributes: ["environment": "point-v0"])
    }

    private static func hdf5() throws -> [(String, Data)] {
        let folder = FuzzScratch.folder.appendingPathComponent("point-v0")
        try? FileManager.default.removeItem(at: folder)
        try data.writeMinari(to: folder)
        return [
            ("d4rl-gzip", try written { try data.write(to: $0) }),
            ("d4rl-plain", try written { try data.write(to: $0, gzipLevel: nil) }),
            (
                "minari",
                try Data(contentsOf: folder.appendingPathComponent("data/main_data.hdf5"))
            ),
        ]
    }

    private static var tensors: SafetensorsFile {
        var file = SafetensorsFile()
        file.set("a", [1.5, 2] as [Float], shape: [2])
        file.set("b", [0.1, -1e300], shape: [2, 1])
        file.set("c", [-7, 1] as [Int32], shape: [2])
        file.metadata["note"] = "x"
        return file
    }

    private static var tokenization: TokenizedDataset.Settings {
        var settings = TokenizedDataset.Settings()
        settings.binCount = 4
        settings.strategy = .uniform
        settings.windowLength = 3
        return settings
    }

    private static func tokens() throws -> Data {
        let source = FuzzScratch.folder.appendingPathComponent("source.hdf5")
        try data.write(to: source)
        return try written { url in
            _ = try TokenFile.write(
                DatasetFile(source), settings: tokenization,
                source: TokenFile.Source(name: "source.hdf5", format: "d4rl"), to: url)
        }
    }

    // MARK: - What was learnt

    /// Writes a checkpoint of a small model that has learnt nothing.
    static func checkpoint(in folder: URL) throws {
        let data = try TokenizedDataset(trajectories, settings: tokenization)
        var shape = TransformerConfiguration.Shape()
        shape.layerCount = 1
        shape.headCount = 1
        shape.embeddingWidth = 4
        var configuration = TransformerConfiguration(
            layout: FuzzedModels.layout, contextTransitions: 3, shape: shape)
        configuration.binCount = 4
        try Checkpoint(
            model: TrajectoryTransformer(configuration, seed: 0), discretizer: data.discretizer,
            tokenization: data.settings, environment: "point-v0"
        ).write(to: folder)
        for name in ["checkpoint.json", "weights-0.safetensors"] {
            let file = folder.appendingPathComponent(name)
            try unsealed(Data(contentsOf: file)).write(to: file)
        }
    }

    private static var linear: LinearPolicy { LinearPolicy(FuzzedModels.specification) }

    private static var gaussian: GaussianPolicy {
        let count = GaussianPolicy.parameterCount(layout: FuzzedModels.layout, hiddenSizes: [4])
        return GaussianPolicy(
            layout: FuzzedModels.layout, actionLimits: FuzzedModels.specification.actionLimits,
            hiddenSizes: [4], parameters: Array(repeating: 0.1, count: count))
    }

    private static var learning: LearningSettings {
        var settings = LearningSettings()
        settings.hiddenSizes = [4]
        settings.batchSize = 2
        settings.steps = 1
        settings.workers = 1
        return settings
    }

    private static func neural() throws -> NeuralPolicy {
        var settings = BehaviorCloning.Settings()
        settings.learning = learning
        let cloning = try BehaviorCloning(
            trajectories, layout: FuzzedModels.layout,
            actionLimits: FuzzedModels.specification.actionLimits, settings: settings)
        try cloning.train()
        return cloning.policy
    }

    private static func critic() throws -> Critic {
        var settings = ImplicitQLearning.Settings()
        settings.learning = learning
        let learner = try ImplicitQLearning(
            trajectories, layout: FuzzedModels.layout,
            actionLimits: FuzzedModels.specification.actionLimits, settings: settings)
        try learner.train()
        return learner.critic
    }

    private static func dynamics() throws -> DynamicsEnsemble {
        var settings = DynamicsTrainer.Settings()
        settings.learning = learning
        settings.members = 2
        return try DynamicsTrainer(trajectories, settings: settings).train().ensemble
    }

    // MARK: - Words

    private static let settings = """
        model: {layers: 2, heads: 2, width: 32, actionWeight: 5, embeddingDropout: 0.1}
        training:
          steps: 100
          batchSize: 8
          learningRate: 0.0006
          timeLimit: 1.5
          workers: 2
          seed: 3
        tokenization:
          windowLength: 5
          binCount: 50
          discount: 0.99
          terminationPenalty: null
          goalColumns: [0, 1]
        """

    private static let experiment = """
        title: A
        paper: section 1
        description: d
        findings: f
        settings: {episodes: 2, horizon: {a: 1, b: 2}}
        axes: {robot: [a, b]}
        quick: {settings: {episodes: 1}, axes: {robot: [a]}}
        steps:
          - {name: "data {robot}", run: "collect --dataset {robot} --output {robot}.hdf5"}
          - {name: "score {robot}", run: "evaluate --horizon {horizon}", resumes: "{robot}"}
        tables:
          - title: T
            rows: "{robot}"
            columns: [{name: s, step: "score {robot}", key: mean, digits: 1}]
        """
}
