import Agents
import Policies
import Episodes
import Environments
import Evaluation
import Foundation
import Planning
import RandomNumbers
import Testing
import Trajectories

/// A line on which an action is a step; the seed is where the goal lies.
private final class LineEnvironment: GoalEnvironment {
    let specification = EnvironmentSpecification(
        identifier: "line-v0", family: "line",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [-1...1], maximumEpisodeSteps: 6, goalColumns: [0])
    var goal: [Double] = [0, 0]
    let successRadius = 0.5
    private(set) var achievedGoal: [Double] = [0, 0]

    func reset(seed: UInt64) -> [Double] {
        goal = [Double(seed), 0]
        achievedGoal = [0, 0]
        return [0]
    }

    func step(_ action: [Double]) -> EnvironmentStep {
        achievedGoal[0] += action[0]
        return EnvironmentStep(observation: [achievedGoal[0]], reward: 1, isTerminated: false)
    }
}

/// Walks towards the goal it was given last.
private struct WalkingAgent: Agent {
    private var goal: [Double] = []
    private(set) var goals: [[Double]] = []

    mutating func reset(seed: UInt64) { goal = [] }

    mutating func pursue(goal: [Double]) {
        self.goal = goal
        if goals.last != goal { goals.append(goal) }
    }

    mutating func act(on observation: [Double]) -> Controller.Decision {
        Controller.Decision(action: [goal[0] > observation[0] ? 1 : 0])
    }

    mutating func receive(reward: Double) {}
}

/// Pushes straight to the goal and says so beforehand.
private struct StraightAgent: Agent {
    private var goal: [Double] = []

    mutating func reset(seed: UInt64) {}
    mutating func pursue(goal: [Double]) { self.goal = goal }

    mutating func act(on observation: [Double]) -> Controller.Decision {
        let plan = Plan(
            tokens: [], observations: [observation, goal + [0, 0]], actions: [], rewards: [],
            values: [], score: 0, statistics: PlanStatistics())
        return Controller.Decision(
            action: (0..<2).map { 0.3 * (goal[$0] - observation[$0]) }, plan: plan)
    }

    mutating func receive(reward: Double) {}
}

/// Steps towards the goal that follows the observation.
private struct GoalPolicy: Policy {
    let goalColumns = [0, 1]

    func action(for input: [Double], using generator: inout PCG64) -> [Double] {
        [min(max(input[1] - input[0], -1), 1)]
    }
}

@Suite struct GoalEvaluationTests {
    @Test(arguments: [false, true])
    func `each episode's goal is given to the agent, and how it was reached is reported`(
        untilGoal: Bool
    ) throws {
        var agent = PlanRecorder(WalkingAgent(), interval: 1)
        let (report, rollouts) = try EvaluationReport.evaluate(
            &agent, in: LineEnvironment(), episodes: 6, seed: 2,
            options: .init(untilGoal: untilGoal))
        #expect(agent.base.goals == (2...7).map { [Double($0), 0] })
        // Goals 2 to 7 and six steps: the last one is out of reach.
        #expect(rollouts.map(\.stepsToGoal) == [2, 3, 4, 5, 6, nil])
        #expect(report.lengths == (untilGoal ? [2, 3, 4, 5, 6, 6] : [6, 6, 6, 6, 6, 6]))
        #expect(abs((report.successRate ?? 0) - 5.0 / 6) < 1e-12)
        #expect(report.meanStepsToGoal == 4)
        // A metre a step, and no map to find a shorter path in.
        #expect(report.meanPathLength == 4 && report.meanShortestPath == nil)
        #expect(rollouts[0].path == [[0, 0], [1, 0], [2, 0]] && rollouts[0].goal == [2, 0])
        #expect(rollouts[5].path.count == 7)
        let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(json.contains("\"successRate\":") && json.contains("\"meanStepsToGoal\":4"))
    }

    @Test func `there are no steps to a goal that was never reached`() throws {
        var agent = WalkingAgent()
        let (report, _) = try EvaluationReport.evaluate(
            &agent, in: LineEnvironment(), episodes: 1, seed: 9)
        #expect(report.successRate == 0 && report.meanStepsToGoal == nil)
        #expect(report.meanPathLength == nil)
    }

    @Test func `paths are compared with the shortest, and the first plan is kept`() throws {
        let maze = try EnvironmentRegistry.make("pointmaze-open")
        var agent = StraightAgent()
        let (report, rollouts) = try EvaluationReport.evaluate(
            &agent, in: maze, episodes: 4, seed: 0, options: .init(untilGoal: true))
        #expect(report.successRate == 1)
        let (travelled, shortest) = (
            try #require(report.meanPathLength), try #require(report.meanShortestPath)
        )
        // A force towards the goal from rest, nothing between: a straight line.
        #expect(shortest > 0.5 && abs(travelled - shortest) < 0.05 * travelled + 0.05)
        for rollout in rollouts {
            #expect(rollout.plannedPlaces == [rollout.places[0], rollout.goal])
        }
    }

    @Test func `a policy is told the goal of each episode`() throws {
        var agent = PolicyAgent(
            PolicyMixture(GoalPolicy()), layout: LineEnvironment().specification.layout)
        let (_, rollouts) = try EvaluationReport.evaluate(
            &agent, in: LineEnvironment(), episodes: 2, seed: 2)
        #expect(rollouts.map(\.stepsToGoal) == [2, 3])
    }

    @Test func `a maze counts as reached where it pays`() throws {
        let maze = try #require(
            EnvironmentRegistry.make("pointmaze-umaze") as? any MazeSimulation)
        #expect(maze.goalColumns == [0, 1] && maze.successRadius == 0.45)
        var observation = maze.reset(seed: 1)
        var paid = 0
        for _ in 0..<300 {
            // Along the straight line, walls or not.
            let action = (0..<2).map {
                10 * (maze.goal[$0] - observation[$0]) - observation[$0 + 2]
            }
            let step = maze.step(action)
            observation = step.observation
            #expect((step.reward == 1) == maze.isReached())
            paid += Int(step.reward)
        }
        maze.goal = maze.achievedGoal
        #expect(maze.isReached() && !maze.isReached([9, 9]))
        print("paid in \(paid) of 300 steps")
    }
}
