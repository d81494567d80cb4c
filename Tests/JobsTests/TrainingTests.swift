import Datasets
import Foundation
import Jobs
import Learning
import Policies
import Safetensors
import TestSupport
import Testing
import Tokenization
import Training
import Transformer

@Suite struct TrainingTests {
    @Test func `a settings file replaces what it names, also what is unset by default`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("settings.yaml")
        try """
        model: {layers: 2}
        training: {timeLimit: 1.5, learningRate: 0.002}
        tokenization: {goalColumns: [0, 1], terminationPenalty: null}
        """.write(to: file, atomically: true, encoding: .utf8)
        let settings = try TrainingSettings(contentsOf: file)
        #expect(settings.model.layerCount == 2 && settings.model.headCount == 4)
        #expect(settings.training.timeLimit == 1.5 && settings.training.learningRate == 0.002)
        #expect(settings.tokenization.goalColumns == [0, 1])
        #expect(settings.tokenization.terminationPenalty == .nothing)
        #expect(settings.tokenization.windowLength == 10)
    }

    @Test func `printed settings are read back`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("settings.yaml")
        var settings = TrainingSettings()
        settings.model.dropout = 0.25
        settings.training.workers = 3
        try settings.yaml().write(to: file, atomically: true, encoding: .utf8)
        #expect(try TrainingSettings(contentsOf: file) == settings)
    }

    @Test func `what is unset stays unset in printed settings, and numbers are as given`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("settings.yaml")
        for (text, penalty) in [
            ("null", TerminationPenalty.nothing), ("~", .nothing), ("auto", .automatic),
            ("-100", .number(-100)), ("2.5", .number(2.5)),
        ] {
            try "tokenization: {terminationPenalty: \(text)}\n".write(
                to: file, atomically: true, encoding: .utf8)
            let settings = try TrainingSettings(contentsOf: file)
            #expect(settings.tokenization.terminationPenalty == penalty)
            try settings.yaml().write(to: file, atomically: true, encoding: .utf8)
            #expect(try TrainingSettings(contentsOf: file) == settings)
            #expect(try settings.yaml().contains("  terminationPenalty: "))
        }
        let text = try TrainingSettings().yaml()
        for line in ["attentionDropout: 0.1", "discount: 0.99", "learningRate: 0.0006"] {
            #expect(text.contains("  \(line)\n"), "\(text)")
        }
        try "tokenization: {terminationPenalty: often}\n".write(
            to: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: SettingsError.self) { try TrainingSettings(contentsOf: file) }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: [
        ("model: {layer: 2}", SettingsError.Code.unknown, "'model.layer'"),
        ("training: {timelimit: 2}", .unknown, "'training.timelimit'"),
        ("model: {layers: many}", .invalid, "'model.layers' has the wrong type"),
        ("model: {layers: null}", .invalid, "'model.layers' is missing"),
        ("model: 3", .invalid, "'model' must be a section"),
        ("model: [", .unreadable, "it is not YAML"),
    ])
    func `what is no setting is refused by name`(
        _ text: String, _ code: SettingsError.Code, _ part: String
    ) throws {
        let folder = try TemporaryFolder()
        let file = folder.file("settings.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: SettingsError.self) {
            try TrainingSettings(contentsOf: file)
        }
        #expect(error?.code == code && error?.description.contains(part) == true)
    }

    @Test func `a run ends in a checkpoint, and goes on only where that is asked for`() async throws
    {
        let hopper = try await Hopper.shared
        let trained = try Checkpoint(directory: hopper.model)
        #expect(trained.description.environment == "hopper-v4")
        #expect(trained.description.step == 2)
        var again = TrainingJob(dataset: hopper.data, output: hopper.model)
        again.settings.model.layerCount = 1
        #expect(throws: (any Error).self) { try again.run() }
    }

    @Test func `a run's settings are read back from its folder`() async throws {
        let hopper = try await Hopper.shared
        let settings = try #require(TrainingSettings(ofRunIn: hopper.model))
        let description = try Checkpoint.description(in: hopper.model)
        #expect(settings.training.steps == 2 && settings.training.optimizer == .adamw)
        #expect(settings.tokenization == description.tokenization)
        #expect(settings.model == description.model.shape)
        #expect(TrainingSettings(ofRunIn: hopper.data) == nil)
        // What a file leaves out is as in them.
        let folder = try TemporaryFolder()
        try "training: {steps: 9}\n".write(
            to: folder.file("s.yaml"), atomically: true, encoding: .utf8)
        var expected = settings
        expected.training.steps = 9
        #expect(
            try TrainingSettings(contentsOf: folder.file("s.yaml"), over: settings) == expected)
    }

    @Test func `a run of some minutes chooses its length, and no more than is of use`() async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = TrainingJob(dataset: hopper.data, output: folder.file("run"))
        job.settings = TrainingSettings(.quick)
        job.settings.model.layerCount = 1
        job.settings.model.embeddingWidth = 8
        job.settledSettings = ["model.layers", "model.width"]
        var notes: [String] = []
        func run(_ minutes: Double) throws -> TrainingProgress {
            job.minutes = minutes
            return try job.run {
                if case .note(let text) = $0 { notes.append(text) }
            }
        }
        for minutes in [0, -1, Double.nan, .infinity] {
            let error = #expect(throws: JobError.self) { try run(minutes) }
            #expect(error?.code == .invalidSetting)
        }
        let end = try run(60)
        // Twenty passes over 400 transitions in windows of which 64 are a batch.
        #expect(end.step == end.steps && (50...125).contains(end.steps), "\(end)")
        let note = try #require(notes.first { $0.hasPrefix("1 layers of 8 channels") })
        #expect(note.contains("\(end.steps) steps of 64 windows at rate 0.008: about"))
        #expect(note.hasSuffix("as many as are of use"))
        #expect(try Checkpoint.description(in: folder.file("run")).model.layerCount == 1)
        // Resumed, it has the length that it had.
        job.resumes = true
        job.settings = try #require(TrainingSettings(ofRunIn: folder.file("run")))
        #expect(try run(60).steps == end.steps)
    }

    @Test func `a token file trains like its dataset, and refuses other settings`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        let tokens = folder.file("data.tokens")
        let written = try TokenizationJob(from: hopper.data, to: tokens).run()
        #expect(written.transitions == 400 && written.bins == 100)
        var job = TrainingJob(dataset: tokens, output: folder.file("run"))
        job.settings.model.layerCount = 1
        job.settings.model.headCount = 1
        job.settings.model.embeddingWidth = 8
        job.settings.tokenization.windowLength = 3
        job.settings.training.batchSize = 4
        job.settings.training.steps = 2
        try job.run()
        let (one, other) = (
            try Checkpoint(directory: hopper.model), try Checkpoint(directory: folder.file("run"))
        )
        #expect(one.discretizer == other.discretizer)
        #expect(one.description.tokens == other.description.tokens)

        job.settings.tokenization.binCount = 50
        var error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .tokenFile)
        job.settings.tokenization.binCount = 100
        job.reading.dropsLastRow = true
        error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .settledReading)
    }

    @Test func `a run may begin with a checkpoint of other data, whose bins it keeps when resumed`()
        async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var collection = CollectionJob(
            .policy("weak", environment: "hopper"), output: folder.file("other.hdf5"))
        collection.steps = 300
        collection.workers = 1
        _ = try await collection.run()
        let first = try Checkpoint(directory: hopper.model)
        var notes: [String] = []
        func train(_ data: URL, steps: Int, resumes: Bool = false) throws -> Checkpoint {
            var job = TrainingJob(dataset: data, output: folder.file("run"))
            job.settings.training.batchSize = 4
            job.settledSettings = ["training.steps"]
            job.resumes = resumes
            if resumes { job.settings = try #require(TrainingSettings(ofRunIn: job.output)) }
            job.settings.training.steps = steps
            // Another path to what is recorded.
            job.settings.training.initialCheckpoint = hopper.folder.file("./model").path
            try job.run { if case .note(let text) = $0 { notes.append(text) } }
            return try Checkpoint(directory: job.output)
        }
        let begun = try train(folder.file("other.hdf5"), steps: 2)
        #expect(begun.discretizer == first.discretizer && begun.description.step == 2)
        #expect(begun.description.tokenization.windowLength == 3)
        #expect(notes.contains { $0.contains("outside the bins") })
        let resumed = try train(folder.file("other.hdf5"), steps: 4, resumes: true)
        #expect(resumed.discretizer == first.discretizer && resumed.description.step == 4)

        // A token file is made with those bins, or refused.
        var job = TokenizationJob(
            from: folder.file("other.hdf5"), to: folder.file("own.tokens"))
        _ = try job.run()
        try FileManager.default.removeItem(at: folder.file("run"))
        let error = #expect(throws: TrainingError.self) {
            try train(folder.file("own.tokens"), steps: 2)
        }
        #expect(error?.code == .unusableInitial)
        job.output = folder.file("adopted.tokens")
        job.adoptedBins = first.discretizer
        _ = try job.run()
        let same = try train(folder.file("adopted.tokens"), steps: 2)
        #expect(same.model.tensors().serialized() == begun.model.tensors().serialized())
    }

    @Test func `policies, critics and dynamics are learnt and written`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var cloning = BehaviorCloning.Settings()
        cloning.learning.steps = 5
        cloning.learning.hiddenSizes = [8]
        cloning.topFraction = 0.5
        let policy = try PolicyTrainingJob(
            .cloning(cloning), dataset: hopper.data, output: folder.file("bc.safetensors")
        ).run()
        #expect(policy.method == "bc" && policy.steps == 5 && policy.transitions < 400)
        #expect(policy.environment == "hopper-v4" && policy.losses.count == 1)

        var critic = CriticTrainingJob(
            dataset: hopper.data, output: folder.file("critic.safetensors"))
        critic.settings.learning.steps = 5
        critic.settings.learning.hiddenSizes = [8]
        critic.settings.rewardScale = 1
        let learnt = try critic.run()
        #expect(learnt.policy == nil && learnt.transitions > 300 && learnt.rewardScale == 1)

        var dynamics = DynamicsTrainingJob(
            dataset: hopper.data, output: folder.file("dynamics.safetensors"))
        dynamics.settings.members = 2
        dynamics.settings.learning.steps = 5
        dynamics.settings.learning.hiddenSizes = [8]
        dynamics.skippedEpisodes = 1
        let ensemble = try dynamics.run()
        #expect(ensemble.members == 2 && ensemble.transitions < 400)
        #expect(
            try folder.contents()
                == ["bc.safetensors", "critic.safetensors", "dynamics.safetensors"])

        // None is used once a number in it is none.
        for (name, key) in [
            ("bc", "layers.0.weight"), ("bc", "deviation"), ("critic", "observation_mean"),
            ("dynamics", "change_mean"),
        ] {
            let whole = try Data(contentsOf: folder.file("\(name).safetensors"))
            defer { try? whole.write(to: folder.file("\(name).safetensors")) }
            var file = try SafetensorsFile(contentsOf: folder.file("\(name).safetensors"))
            var values = try file.floats(key)
            values[values.count - 1] = .nan
            file.set(key, values, shape: try file.shape(of: key))
            try file.write(to: folder.file("\(name).safetensors"))
            let error = #expect(throws: (any Error).self) {
                switch name {
                case "bc":
                    var evaluation = EvaluationJob(
                        .policy(folder.file("bc.safetensors").path), in: "hopper")
                    evaluation.episodes = 1
                    _ = try evaluation.run()
                case "critic": _ = try Critic(contentsOf: folder.file("critic.safetensors"))
                default: _ = try DynamicsEnsemble(contentsOf: folder.file("dynamics.safetensors"))
                }
            }
            let words = "number \(values.count - 1) is NaN or infinite"
            #expect(error.map { "\($0)" }?.contains(words) == true, "\(name): \(error as Any)")
            #expect(error.map { "\($0)" }?.contains(key) == true)
        }
    }
}
