import Agents
import Episodes
import Learning
import Planning
import RandomNumbers
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// A line whose goal lies at the end of the observation's columns that are named, or nowhere.
private final class GoalLine: GoalEnvironment {
    let specification: EnvironmentSpecification
    var goal = [1.0]
    let achievedGoal = [0.0]
    let successRadius = 0.5

    init(goalColumns: [Int]?) {
        specification = EnvironmentSpecification(
            identifier: "goal-line-v0", family: "goal-line",
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
            actionLimits: [-1...1], maximumEpisodeSteps: 5, goalColumns: goalColumns)
    }

    func reset(seed: UInt64) -> [Double] { [0, 0] }
    func step(_ action: [Double]) -> EnvironmentStep {
        EnvironmentStep(observation: [0, 0], reward: 0, isTerminated: false)
    }
}

/// A line of two numbers without a goal.
private final class PlainLine: Environment {
    let specification = EnvironmentSpecification(
        identifier: "plain-line-v0", family: "plain-line",
        layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
        actionLimits: [-0.25...0.25], maximumEpisodeSteps: 5)

    func reset(seed: UInt64) -> [Double] { [0, 0] }
    func step(_ action: [Double]) -> EnvironmentStep {
        EnvironmentStep(observation: [0, 0], reward: 0, isTerminated: false)
    }
}

@Suite struct TrainedAgentTests {
    private let options = {
        var options = PlannerOptions()
        options.horizon = 2
        options.beamWidth = 4
        return options
    }()

    /// A model of random weights over two observation dimensions and an action.
    private func checkpoint(goalColumns: [Int] = [], discount: Double = 0.9) -> Checkpoint {
        let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)
        var configuration = TransformerConfiguration(layout: layout, contextTransitions: 4)
        configuration.binCount = 8
        configuration.layerCount = 1
        configuration.headCount = 1
        configuration.embeddingWidth = 16
        configuration.goalDimension = goalColumns.count
        var settings = TokenizedDataset.Settings()
        settings.discount = discount
        settings.goalColumns = goalColumns.isEmpty ? nil : goalColumns
        return Checkpoint(
            model: TrajectoryTransformer(configuration, seed: 3),
            discretizer: Discretizer(
                strategy: .uniform,
                edges: (0...8).flatMap { edge in (0..<5).map { _ in Double(edge) - 4 } },
                dimension: 5, binCount: 8),
            tokenization: settings)
    }

    private func refusal(of trained: Checkpoint, in environment: any Environment) -> AgentError? {
        #expect(throws: AgentError.self) {
            try TrainedAgent(trained, named: "runs/line", for: environment, engine: .cpu)
        }
    }

    @Test func `a trained model acts within the limits, and discounts as it was trained`() throws {
        let trained = checkpoint(discount: 0.75)
        var agent = try TrainedAgent(
            trained, named: "runs/line", options: options, for: PlainLine(), engine: .cpu
        ).controller
        #expect(agent.options.discount == 0.75)
        agent.reset(seed: 1)
        let decision = try agent.act(on: [0.5, -1])
        #expect(decision.action.count == 1 && abs(decision.action[0]) <= 0.25)
        #expect(decision.plan?.actions.count == 2)
        var changed = options
        changed.discount = 0.5
        let other = try TrainedAgent(
            trained, named: "runs/line", options: changed, for: PlainLine(), engine: .cpu)
        #expect(other.controller.options.discount == 0.5)
    }

    @Test func `a model of other dimensions is refused with both sizes`() {
        let error = refusal(of: checkpoint(), in: PointEnvironment())
        #expect(error?.code == .otherLayout)
        #expect(error?.description.contains("2 observation and 1 action") == true)
        #expect(error?.description.contains("point-v4 has 1 and 1") == true)
        #expect(error?.description.contains("--") == false)
    }

    @Test func `a model for goals is refused where these are not the environment's`() throws {
        let trained = checkpoint(goalColumns: [1])
        #expect(refusal(of: trained, in: PlainLine())?.code == .noGoals)
        #expect(refusal(of: trained, in: GoalLine(goalColumns: nil))?.code == .unobservedGoals)
        #expect(refusal(of: trained, in: GoalLine(goalColumns: [0]))?.code == .otherGoals)
        let agent = try TrainedAgent(
            trained, named: "runs/line", options: options, for: GoalLine(goalColumns: [1]),
            engine: .cpu)
        #expect(agent.controller.context.goalColumns == [1])
    }

    @Test func `a model without goals goes its way where there are some`() throws {
        var agent = try TrainedAgent(
            checkpoint(), named: "runs/line", options: options, for: GoalLine(goalColumns: [0]),
            engine: .cpu
        ).controller
        agent.reset(seed: 0)
        try agent.pursue(goal: [1])
        #expect(try agent.act(on: [0, 0]).action.count == 1)
    }

    @Test func `a plan by a critic says where the two discount differently`() throws {
        let episodes = (0..<4).map { seed -> Trajectory in
            var generator = PCG64(seed: UInt64(seed))
            return Trajectory(of: Episode(in: PlainLine(), seed: 0)) { _ in
                [generator.uniform(-0.25, 0.25)]
            }
        }
        var settings = ImplicitQLearning.Settings()
        settings.learning.steps = 2
        settings.learning.hiddenSizes = [4]
        settings.discount = 0.5
        let critic = try trainedCritic(settings, on: episodes)
        var options = options
        options.objective = .q
        let agent = try TrainedAgent(
            checkpoint(discount: 0.9), named: "runs/line", options: options, critic: critic,
            for: PlainLine(), engine: .cpu)
        #expect(agent.notes == ["the critic discounts by 0.5, the plan by 0.9"])
        let error = #expect(throws: LearningError.self) {
            try TrainedAgent(
                checkpoint(), named: "runs/line", options: options, critic: pointCritic(settings),
                criticName: "critic.safetensors", for: PlainLine(), engine: .cpu)
        }
        #expect(error?.code == .unsuitableCritic)
    }

    private func trainedCritic(
        _ settings: ImplicitQLearning.Settings, on episodes: [Trajectory]
    ) throws -> Critic {
        let learning = try ImplicitQLearning(
            episodes, layout: episodes[0].layout,
            actionLimits: episodes[0].layout.actionDimension == 1 ? [-1...1] : [],
            settings: settings)
        _ = try learning.train()
        return learning.critic
    }

    private func pointCritic(_ settings: ImplicitQLearning.Settings) throws -> Critic {
        try trainedCritic(
            settings, on: PointEnvironment.episodes(of: ProportionalPolicy(gain: -0.5), count: 3))
    }
}
