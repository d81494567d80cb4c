import Agents
import Policies
import Episodes
import Behavior
import Environments
import Evaluation
import Foundation
import Planning
import Processes
import TestSupport
import Testing
import Trajectories

/// Pays the action as reward; ends terminally where the seed says so, else by the time limit.
private final class PayingEnvironment: Environment {
    let specification = EnvironmentSpecification(
        identifier: "paying-v0", family: "paying",
        layout: TransitionLayout(observationDimension: 1, actionDimension: 1),
        actionLimits: [-1...1], maximumEpisodeSteps: 4,
        referenceScores: ReferenceScores(random: 1, expert: 5))
    private var seed: UInt64 = 0
    private var steps = 0

    func reset(seed: UInt64) -> [Double] {
        self.seed = seed
        steps = 0
        return [Double(seed)]
    }

    func step(_ action: [Double]) -> EnvironmentStep {
        steps += 1
        return EnvironmentStep(
            observation: [Double(steps)], reward: action[0],
            isTerminated: seed == 8 && steps == 2)
    }
}

/// Answers with what it observed, and writes down what happens to it.
private struct EchoingAgent: Agent {
    var actionDimension = 1
    var log: [String] = []

    mutating func reset(seed: UInt64) {
        log.append("reset \(seed)")
    }

    mutating func act(on observation: [Double]) -> Controller.Decision {
        var statistics = PlanStatistics()
        statistics.seconds = observation[0] / 1000
        let plan = Plan(
            tokens: [], observations: [], actions: [], rewards: [], values: [], score: 0,
            statistics: statistics)
        return Controller.Decision(
            action: Array(observation.prefix(actionDimension)),
            plan: observation[0] == 2 ? nil : plan)
    }

    mutating func receive(reward: Double) {
        log.append("\(reward)")
    }
}

@Suite struct EvaluationTests {
    @Test func `episodes end at terminals and time limits, and are summed up`() throws {
        var agent = EchoingAgent()
        let environment = PayingEnvironment()
        let (report, rollouts) = try EvaluationReport.evaluate(
            &agent, in: environment, episodes: 2, seed: 7)
        // Seed 7 observes 7, 1, 2, 3 and runs into the limit; seed 8 observes 8, 1 and terminates.
        #expect(report.returns == [13, 9])
        #expect(report.lengths == [4, 2])
        #expect(rollouts.map(\.isTerminated) == [false, true])
        #expect(report.seeds == [7, 8])
        #expect(report.meanReturn == 11)
        #expect(report.standardDeviation == 2)
        #expect(report.normalizedScore == 250)
        #expect(
            agent.log == ["reset 7", "7.0", "1.0", "2.0", "3.0", "reset 8", "8.0", "1.0"])
        // Plans took 7, 1, 3 and 8, 1 ms; the step that observed 2 made none.
        #expect(report.plans == 5)
        #expect(abs((report.millisecondsPerPlan ?? 0) - 3) < 1e-9)
        let times = report.planMilliseconds
        #expect(times?.maximum == report.longestSearchMilliseconds)
        #expect(times?.p999 == times?.maximum && times?.p99 == times?.maximum)
        let json = try JSONEncoder().encode(times)
        let keys = try JSONSerialization.jsonObject(with: json) as? [String: Double] ?? [:]
        #expect(keys.keys.sorted() == ["maximum", "p50", "p99", "p99.9"])
        #expect(abs((report.meanMillisecondsPerPlan ?? 0) - 4) < 1e-9)
    }

    @Test func `the report's JSON has the documented keys`() throws {
        var agent = EchoingAgent()
        let (report, _) = try EvaluationReport.evaluate(
            &agent, in: PayingEnvironment(), episodes: 1, seed: 1, planner: PlannerOptions())
        let data = try JSONEncoder().encode(report)
        let object = try #require(
            JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in ["returns", "meanReturn", "normalizedScore", "millisecondsPerPlan"] {
            #expect(object[key] != nil, "\(key)")
        }
        #expect(try JSONDecoder().decode(EvaluationReport.self, from: data) == report)
    }

    @Test func `a policy acts as an agent, with the draws of its score elsewhere`() async throws {
        let mixture = try PolicyParser(EnvironmentRegistry.make("hopper").specification)
            .parse("mix:ars-weak+0.2=1,random=1")
        let hopper = try EnvironmentRegistry.make("hopper").specification.layout
        var agent = PolicyAgent(mixture, layout: hopper)
        let (report, _) = try EvaluationReport.evaluate(
            &agent, in: EnvironmentRegistry.make("hopper"), episodes: 4, seed: 11)
        let workers = try EpisodeWorkers(count: 1) { try EnvironmentRegistry.make("hopper") }
        let score = await PolicyScore.measure(
            mixture, episodes: 4, firstSeed: 11, workers: workers)
        #expect(report.returns == score.returns && report.lengths == score.lengths)
        #expect(report.plans == 0 && report.millisecondsPerPlan == nil && report.planner == nil)
    }

    @Test func `policies act on all threads with the returns of one, bit for bit`() throws {
        for policy in ["mix:ars-weak+0.2=1,random=1", "sample:medium"] {
            let specification = try EnvironmentRegistry.make("hopper").specification
            let agent = PolicyAgent(
                try PolicyParser(specification).parse(policy), layout: specification.layout)
            var one = agent
            let (report, rollouts) = try EvaluationReport.evaluate(
                &one, in: EnvironmentRegistry.make("hopper"), episodes: 7, seed: 11,
                options: .init(maximumSteps: 60, keepsTrajectory: true), recordedEpisodes: 1)
            for workers in [1, 3, 16] {
                var last = [Int](repeating: 0, count: 7)
                let (parallel, episodes) = try EvaluationReport.evaluate(
                    agent, episodes: 7, workers: workers, seed: 11,
                    options: .init(maximumSteps: 60, keepsTrajectory: true), recordedEpisodes: 1,
                    environment: { try EnvironmentRegistry.make("hopper") },
                    onStep: { last[$0] = $1.rewards.count })
                #expect(parallel == report)
                #expect(episodes.map(\.trajectory) == rollouts.map(\.trajectory))
                #expect(episodes.map(\.states) == rollouts.map(\.states))
                #expect(last == report.lengths)
            }
        }
    }

    @Test func `an evaluation on all threads that is stopped has whole episodes alone`() throws {
        let specification = try EnvironmentRegistry.make("hopper").specification
        let agent = PolicyAgent(
            try PolicyParser(specification).parse("random"), layout: specification.layout)
        var steps = 0
        func evaluate(until limit: Int) throws -> EvaluationReport {
            steps = 0
            return try EvaluationReport.evaluate(
                agent, episodes: 50, workers: 3, seed: 1, options: .init(maximumSteps: 8),
                environment: { try EnvironmentRegistry.make("hopper") },
                until: { steps >= limit }, onStep: { _, _ in steps += 1 }
            ).report
        }
        let report = try evaluate(until: 100)
        #expect(report.returns.count < 50 && report.lengths.allSatisfy { $0 == 8 })
        #expect(throws: EvaluationStopped.self) { try evaluate(until: 1) }
    }

    @Test func `episodes arrive in another process as they are`() throws {
        let environment = try EnvironmentRegistry.make("hopper")
        let layout = environment.specification.layout
        var agent = PolicyAgent(
            try PolicyParser(environment.specification).parse("random"), layout: layout)
        let sent = try Rollout(
            of: &agent, in: environment, seed: 3,
            options: .init(recordsStates: true, keepsTrajectory: true))
        let results = ThreadGroup.run(2) { group in
            try group.gather(values: group.isFirst ? [] : [sent])
        }
        for result in results {
            let arrived = try result.get()
            #expect(arrived[0].isEmpty && arrived[1].count == 1)
            #expect(arrived[1][0].rewards == sent.rewards)
            #expect(arrived[1][0].trajectory == sent.trajectory)
            #expect(arrived[1][0].states == sent.states)
        }
        var broken = try #require(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(sent.trajectory))
                as? [String: Any])
        broken["rewards"] = "AAAAAA=="
        let text = try JSONSerialization.data(withJSONObject: broken)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Trajectory.self, from: text)
        }
    }

    @Test func `plans are kept a number of steps apart, of the last episode`() throws {
        var agent = PlanRecorder(EchoingAgent(), interval: 2)
        for seed in [1, 5] as [UInt64] {
            _ = try Rollout(of: &agent, in: PayingEnvironment(), seed: seed)
        }
        // Observed 5, 1, 2, 3; the step that observed 2 made no plan, so the next one is kept.
        #expect(agent.entries.map(\.step) == [0, 3])
        #expect(agent.entries.map(\.plan.statistics.seconds) == [0.005, 0.003])
        #expect(agent.base.log.suffix(2) == ["2.0", "3.0"])
    }

    @Test func `an episode can be cut short and its states recorded`() throws {
        var agent = EchoingAgent(actionDimension: 3)
        let environment = try EnvironmentRegistry.make("hopper")
        var seen: [Int] = []
        let rollout = try Rollout(
            of: &agent, in: environment, seed: 3,
            options: .init(maximumSteps: 1, recordsStates: true)
        ) { seen.append($0.rewards.count) }
        #expect(rollout.rewards.count == 1 && seen == [1])
        #expect(rollout.states.count == 2 && rollout.states[0] != rollout.states[1])
        #expect(rollout.trajectory == nil)
    }

    @Test func `an episode that is kept can be taken again from its actions, to the bit`() throws {
        var agent = EchoingAgent(actionDimension: 3)
        let rollout = try Rollout(
            of: &agent, in: EnvironmentRegistry.make("hopper"), seed: 3,
            options: .init(keepsTrajectory: true))
        let logged = try #require(rollout.trajectory)
        #expect(logged.count == rollout.rewards.count && logged.ending == .terminal)
        var again = Episode(in: try EnvironmentRegistry.make("hopper"), seed: 3)
        for row in 0..<logged.count {
            #expect(logged.observation(row).elementsEqual(again.observation.map(Float.init)))
            #expect(again.take(logged.action(row).map(Double.init)).reward == rollout.rewards[row])
        }
    }
}
