import Datasets
import Foundation
import Episodes
import Jobs
import Learning
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer

@Suite struct LookingTests {
    @Test func `attention looks at the tokens of training, the termination penalty among them`()
        throws
    {
        let seed = UInt64.random(in: 0..<1000)
        print("seed \(seed)")
        let trajectories = randomEpisodes(of: 6, seed: seed).trajectories
        var settings = TokenizedDataset.Settings()
        settings.windowLength = 3
        settings.binCount = 10
        settings.terminationPenalty = .number(-5)
        let dataset = try TokenizedDataset(trajectories, settings: settings)
        let windows = dataset.windows
        let nowhere = URL(fileURLWithPath: "/tmp")
        var job = AttentionJob(checkpoint: nowhere, dataset: nowhere, output: nowhere)
        var unpenalized = settings
        unpenalized.terminationPenalty = .nothing
        job.place = (0, 3)
        let (with, without) = (
            try job.chooseWindows(
                trajectories, length: windows.length, discretizer: dataset.discretizer,
                settings: settings, named: "a"),
            try job.chooseWindows(
                trajectories, length: windows.length, discretizer: dataset.discretizer,
                settings: unpenalized, named: "a")
        )
        #expect(with != without)
        for window in 0..<windows.count {
            let (episode, row) = windows.origin(of: window)
            guard row + 3 <= 6 else { continue }
            job.place = (episode, row)
            let chosen = try job.chooseWindows(
                trajectories, length: windows.length, discretizer: dataset.discretizer,
                settings: settings, named: "a")
            var batch = TokenBatch(rows: 1, length: windows.length)
            windows.fill(&batch, row: 0, window: window)
            #expect(chosen == [batch.inputs.map(Int.init)], "episode \(episode), row \(row)")
        }
    }

    @Test func `windows are spread over the data, and a place must be in them`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = AttentionJob(
            checkpoint: hopper.model, dataset: hopper.data, output: folder.file("a.svg"))
        job.windows = 4
        let result = try job.run()
        #expect(result.windows == 4 && result.heads.map(\.name) == ["layer 1, head 1", "even"])
        #expect(result.tokens == 3 * 16 - 1)
        for place in [(99, 0), (0, 5000), (0, -1)] {
            job.place = place
            let error = #expect(throws: JobError.self) { try job.run() }
            #expect(error?.code == .noWindow)
        }
    }

    @Test func `predictions are measured, and drawn where an episode is long enough`() async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = PredictionJob(checkpoint: hopper.model, dataset: hopper.data)
        job.horizon = 3
        job.episodes = 2
        job.samples = 1
        job.plot = folder.file("errors.svg")
        job.likelihoodPlot = folder.file("likelihoods.svg")
        let result = try job.run()
        #expect(
            result.methods.map(\.name)
                == ["transformer", "Markovian transformer", "no change"])
        #expect(result.methods.allSatisfy { $0.byStep.count == 3 && $0.mean.isFinite })
        #expect(result.methods.allSatisfy { $0.standardErrors?.count == 3 })
        for method in result.methods.prefix(2) {
            let likelihood = try #require(method.likelihood)
            #expect(zip(likelihood.byStep, result.oracle.byStep).allSatisfy { $0 <= $1 })
            #expect(likelihood.standardErrors?.count == 3 && likelihood.mean.isFinite)
        }
        #expect(result.methods[2].likelihood == nil && result.dimensions == 11)
        #expect(result.dataDistribution.mean < result.oracle.mean && result.hidden == nil)
        #expect(try folder.contents() == ["errors.svg", "likelihoods.svg"])
        job.video = folder.file("x.png")
        job.videoEpisode = 2
        var error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .noHeldOutEpisode)
        job.horizon = 4000
        error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .unsuitableData)
    }

    @Test func `the likeliest of several ensembles is the ensemble`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = PredictionJob(checkpoint: hopper.model, dataset: hopper.data)
        job.horizon = 2
        job.episodes = 3
        job.samples = 4
        for (steps, width) in [(1, 8), (200, 32)] {
            let file = folder.file("width-\(width).safetensors")
            var training = DynamicsTrainingJob(dataset: hopper.data, output: file)
            training.settings.members = 2
            training.settings.learning.hiddenSizes = [width]
            training.settings.learning.steps = steps
            _ = try training.run()
            job.dynamics.append(file)
        }
        let methods = try job.run().methods
        #expect(
            methods.map(\.name).suffix(4) == [
                "ensemble width-8", "ensemble width-32", "ensemble of single-step models",
                "no change",
            ])
        let likelihoods = methods.dropFirst(2).compactMap { $0.likelihood?.mean }
        #expect(likelihoods.count == 3 && likelihoods[2] == max(likelihoods[0], likelihoods[1]))
        #expect(methods[4].file?.hasSuffix("width-32.safetensors") == true)
    }

    @Test func `a model that sees half predicts all, and is held to what it was trained with`()
        async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var training = TrainingJob(dataset: hopper.data, output: folder.file("half"))
        training.settings.model.layerCount = 1
        training.settings.model.headCount = 1
        training.settings.model.embeddingWidth = 8
        training.settings.tokenization.windowLength = 3
        training.settings.tokenization.hiding = Hiding(probability: 0.5, seed: 4)
        training.settings.training.batchSize = 4
        training.settings.training.steps = 2
        try training.run()
        let checkpoint = try Checkpoint(at: training.output)
        #expect(checkpoint.description.tokenization.hiding == Hiding(probability: 0.5, seed: 4))
        #expect(checkpoint.discretizer.hiddenToken == 99)
        // No weight more than without, so that the authors' code reads the model.
        #expect(
            checkpoint.model.configuration
                == (try Checkpoint(at: hopper.model)).model.configuration)
        var dynamics = DynamicsTrainingJob(
            dataset: hopper.data, output: folder.file("half.safetensors"))
        dynamics.settings.members = 1
        dynamics.settings.learning.hiddenSizes = [8]
        dynamics.settings.learning.steps = 3
        dynamics.settings.hiding = Hiding(probability: 0.5)
        _ = try dynamics.run()

        var job = PredictionJob(checkpoint: training.output, dataset: hopper.data)
        job.horizon = 2
        job.context = 2
        job.episodes = 2
        job.samples = 3
        job.dynamics = [dynamics.output]
        let half = try job.run()
        #expect(half.hidden == 0.5 && half.methods.count == 4 && half.dimensions == 11)
        job.hiding = Hiding(probability: 0.5, seed: 5)
        #expect(try job.run().methods[0].byStep != half.methods[0].byStep)
        // Another share than that of the ensemble's data, and a model that knows no hidden numbers.
        job.hiding = Hiding(probability: 0.4)
        var error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.description.contains("0.5, here they are with 0.4") == true)
        job.checkpoint = hopper.model
        error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.description.contains("no token for what is hidden") == true)
        // A run goes on with what it hides, and with nothing else.
        training.resumes = true
        training.settings.training.steps = 3
        try training.run()
        training.settings.tokenization.hiding?.seed = 5
        let other = #expect(throws: TrainingError.self) { try training.run() }
        #expect(other?.description.contains("hiding") == true, "\(other?.description ?? "")")
    }

    @Test func `numbers that cannot be are refused by name`() async throws {
        let hopper = try await Hopper.shared
        let picture = URL(fileURLWithPath: "/tmp/none.png")
        var attention = AttentionJob(
            checkpoint: hopper.model, dataset: hopper.data, output: picture)
        attention.windows = 0
        var prediction = PredictionJob(checkpoint: hopper.model, dataset: hopper.data)
        prediction.horizon = 0
        var rendering = RenderJob(.dataset(hopper.data, episode: 0), output: picture)
        rendering.columns = 0
        var speed = PlanningSpeedJob()
        speed.plans = 0
        for (name, run) in [
            ("windows", { _ = try attention.run() }), ("horizon", { _ = try prediction.run() }),
            ("columns", { _ = try rendering.run() }), ("plans", { _ = try speed.run() }),
        ] as [(String, () throws -> Void)] {
            let error = #expect(throws: JobError.self) { try run() }
            #expect(error?.description == "\(name) must be positive, found 0")
        }
    }

    @Test func `the parts of a plan make up its time, and their work its work`() throws {
        var job = PlanningSpeedJob()
        job.shape = .halfcheetah
        job.horizon = 2
        job.beamWidth = 4
        job.plans = 2
        #expect(try job.run().profile == nil)
        job.profiles = true
        let report = try #require(try job.run().profile)
        let names = [
            "products", "attention", "embeddingAndHeads", "sampling", "selection", "waiting",
        ]
        #expect(Set(names).isSubset(of: report.parts.map(\.name)))
        let shares = report.parts.reduce(0) { $0 + $1.share }
        #expect(abs(shares - 1) < 0.01 && report.parts.allSatisfy { $0.share >= 0 })
        let milliseconds = report.parts.reduce(0) { $0 + $1.milliseconds }
        #expect(abs(milliseconds / report.total.milliseconds - 1) < 0.01)
        func work(_ part: PlanReport.Part) -> Double { (part.gigaflops ?? 0) * part.milliseconds }
        let sum = report.parts.reduce(0) { $0 + work($1) }
        #expect(sum > 0 && abs(sum / work(report.total) - 1) < 1e-6)
    }

    @Test func `a planner's episode is drawn with what it foresaw`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = RenderJob(
            .agent(.model(hopper.planner), seed: 1), output: folder.file("plans.png"))
        job.maximumSteps = 4
        job.showsPlans = true
        job.planCount = 1
        job.width = 64
        let result = try job.run()
        let plans = try #require(result.plans)
        #expect(result.steps == 4 && plans.map(\.step) == [0, 2])
        #expect(plans.allSatisfy { $0.horizon == 2 })
        #expect(result.frames == 2 && result.height == 48)
        #expect(abs(plans.reduce(0) { $0 + $1.actualReturn } - result.return) < 1e-9)
    }

    @Test func `a report of a dataset names its dimensions and what looks odd`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        let report = try InspectionJob(hopper.data).run()
        #expect(report.specification?.identifier == "hopper-v4")
        #expect(report.usage?.count == 11 + 3 + 2)
        #expect(DatasetReport.names(report.summary).suffix(2) == ["reward", "value"])
        let picture = try DatasetPictureJob(
            InspectionJob(hopper.data), output: folder.file("data.svg")
        ).run()
        #expect(picture.panels == 2 + 1 + 11 + 3 + 1)
    }

    @Test func `a learning curve needs a run`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        try LearningCurveJob(of: hopper.model, output: folder.file("curve.svg")).run()
        #expect(try folder.contents() == ["curve.svg"])
        let error = #expect(throws: JobError.self) {
            try LearningCurveJob(of: folder.url, output: folder.file("x.svg")).run()
        }
        #expect(error?.code == .noRun)
    }

    @Test func `a dataset changes its format and comes back`() async throws {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = ConversionJob(from: hopper.data, to: folder.file("minari"))
        job.actionLimits = -2...2
        job.description.datasetID = "hopper/random-v0"
        let there = try job.run()
        #expect(there.format == .minari && there.transitions == 400)
        let back = try ConversionJob(from: folder.file("minari"), to: folder.file("back.hdf5"))
            .run()
        #expect(back.format == .d4rl && back.transitions == 400)
        let (one, other) = (
            try TrajectoryDataset(contentsOf: hopper.data),
            try TrajectoryDataset(contentsOf: folder.file("back.hdf5"))
        )
        #expect(one.trajectories.map(\.rewards) == other.trajectories.map(\.rewards))
    }
}
