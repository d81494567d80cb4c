import Agents
import Datasets
import Episodes
import Foundation
import Jobs
import Planning
import RandomNumbers
import TestSupport
import Testing
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU

/// Spaces of a few whole numbers: recorded, trained on and planned in.
@Suite struct DiscreteTests {
    /// Random actions in an environment, as Minari's dataset.
    private static func record(
        _ environment: any Environment, actions: Int, cells: Int? = nil, episodes: Int,
        to folder: URL
    ) throws -> TrajectoryDataset {
        let trajectories = (0..<episodes).map { seed in
            var generator = PCG64(seed: UInt64(seed), 1)
            return Trajectory(of: Episode(in: environment, seed: UInt64(seed))) { _ in
                [Double(Int(generator.uniform(0, Double(actions))))]
            }
        }
        var data = TrajectoryDataset(
            layout: environment.specification.layout, trajectories: trajectories)
        data.attributes["action_space"] =
            #"{"type": "Discrete", "dtype": "int64", "start": 0, "n": \#(actions)}"#
        if let cells {
            data.attributes["observation_space"] =
                #"{"type": "Discrete", "dtype": "int64", "start": 0, "n": \#(cells)}"#
        }
        try data.writeMinari(to: folder)
        return try TrajectoryDataset(contentsOf: folder)
    }

    @Test func `the cart and its pole move as Gymnasium's`() {
        let environment = CartPole()
        #expect(
            environment.reset(seed: 7)
                == [
                    0.012509546660466692, 0.039721380096957554, 0.02756856902451936,
                    -0.027479281000940815,
                ].map { Double(Float($0)) })
        var last: EnvironmentStep?
        for action in [1.0, 1, 0, 1, 0, 0, 0, 1] { last = environment.step([action]) }
        // Gymnasium 1.4.0, CartPole-v1, seed 7.
        #expect(
            last?.observation == [
                0.04214346408843994, 0.03901098296046257, -0.008952911011874676,
                -0.01180044375360012,
            ])
        _ = environment.reset(seed: 7)
        var steps = 1
        while !environment.step([1]).isTerminated { steps += 1 }
        #expect(steps == 10)
    }

    @Test func `whole numbers are written and read as such, with their columns`() throws {
        let folder = try TemporaryFolder()
        let data = try Self.record(
            GridWorld(), actions: 4, cells: 16, episodes: 6, to: folder.file("grid-v0"))
        #expect(data.attributes[DiscreteColumn.attribute] == "0:0:16,1:0:4")
        #expect(data.trajectories.allSatisfy { $0.actions.allSatisfy { (0...3).contains($0) } })
        // Through a file of D4RL's and back to Minari's.
        for name in ["grid.hdf5", "again-v0"] {
            let job = ConversionJob(
                from: folder.file(name == "grid.hdf5" ? "grid-v0" : "grid.hdf5"),
                to: folder.file(name))
            _ = try job.run()
            let copy = try TrajectoryDataset(contentsOf: folder.file(name))
            #expect(copy.trajectories == data.trajectories)
            #expect(copy.attributes[DiscreteColumn.attribute] == "0:0:16,1:0:4")
        }
    }

    @Test(arguments: Discretizer.Strategy.allCases)
    func `each value is a token and comes back as it was`(strategy: Discretizer.Strategy) throws {
        let folder = try TemporaryFolder()
        let data = try Self.record(
            GridWorld(), actions: 4, cells: 16, episodes: 6, to: folder.file("grid-v0"))
        var settings = TokenizedDataset.Settings()
        settings.strategy = strategy
        settings.binCount = 20
        settings.windowLength = 3
        settings.discrete = [
            DiscreteColumn(column: 0, count: 16), DiscreteColumn(column: 1, count: 4),
        ]
        let bins = try TokenizedDataset(data.trajectories, settings: settings).discretizer
        for value in 0..<16 {
            #expect(bins.token(for: Double(value), dimension: 0) == value)
            #expect(bins.value(of: value, dimension: 0) == Double(value))
        }
        for value in 0..<4 { #expect(bins.token(for: Double(value), dimension: 1) == value) }
        // A token file has the same bins.
        try TokenFile.write(
            DatasetFile(folder.file("grid-v0")), settings: settings,
            source: .init(name: "grid", format: "minari"), to: folder.file("grid.tokens"))
        let file = try TokenFile(contentsOf: folder.file("grid.tokens"))
        #expect(try TokenizedDataset(file, settings: settings).discretizer == bins)
        settings.binCount = 15
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(data.trajectories, settings: settings)
        }
        settings.binCount = 20
        settings.discrete = [DiscreteColumn(column: 0, count: 3)]
        #expect(throws: DiscretizerError.self) {
            try TokenizedDataset(data.trajectories, settings: settings)
        }
    }

    @Test(arguments: [true, false])
    func `a model is trained on them and plans in them`(isGrid: Bool) throws {
        let folder = try TemporaryFolder()
        let environment: any Environment = isGrid ? GridWorld() : CartPole()
        let actions = isGrid ? 4 : 2
        _ = try Self.record(
            environment, actions: actions, cells: isGrid ? 16 : nil, episodes: 20,
            to: folder.file("data-v0"))
        var job = TrainingJob(dataset: folder.file("data-v0"), output: folder.file("run"))
        job.settings.model.layerCount = 1
        job.settings.model.headCount = 2
        job.settings.model.embeddingWidth = 16
        job.settings.training.steps = 20
        job.settings.training.batchSize = 8
        job.settings.training.workers = 1
        job.settings.tokenization.windowLength = 3
        job.settings.tokenization.binCount = 20
        try job.run()
        let checkpoint = try Checkpoint(directory: folder.file("run"))
        let column = environment.specification.layout.observationDimension
        #expect(
            checkpoint.description.tokenization.discrete?.last
                == DiscreteColumn(column: column, count: actions))
        var options = PlannerOptions()
        options.beamWidth = 4
        options.horizon = 2
        let agent = try TrainedAgent(
            checkpoint, named: "run", options: options, for: environment,
            engine: CPUEngine(workers: 1))
        var controller = agent.controller
        controller.reset(seed: 5)
        var observation = environment.reset(seed: 3)
        for _ in 0..<3 {
            let action = try controller.act(on: observation).action
            #expect(action[0].rounded() == action[0] && (0..<actions).contains(Int(action[0])))
            let step = environment.step(action)
            try controller.receive(reward: step.reward)
            observation = step.observation
        }
    }
}
