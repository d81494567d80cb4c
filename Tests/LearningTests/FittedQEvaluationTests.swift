import Learning
import RandomNumbers
import Testing
import Trajectories

/// A walk on a line from 0: an action of 1 or -1 moves that far, place 3 ends it with reward 10, and
/// every other step costs 1.
private enum Walk {
    static let layout = TransitionLayout(observationDimension: 1, actionDimension: 1)
    static let discount = 0.9

    /// Episodes of random steps, up to 60 of them.
    static func episodes(_ count: Int, seed: UInt64) -> [Trajectory] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            var (place, trajectory) = (0, Trajectory(layout: layout))
            for _ in 0..<60 {
                let action = generator.uniform() < 0.6 ? 1 : -1
                let next = max(place + action, -3)
                trajectory.append(
                    observation: [Float(place)], action: [Float(action)],
                    reward: next == 3 ? 10 : -1)
                if next == 3 {
                    trajectory.ending = .terminal
                    break
                }
                place = next
            }
            return trajectory
        }
    }

    /// What always going right earns from 0: -1 twice, then 10.
    static var best: Double { -1 - discount + discount * discount * 10 }
    /// What always going left earns: -1 for ever.
    static var worst: Double { -1 / (1 - discount) }
}

@Suite struct FittedQEvaluationTests {
    private func evaluation(_ seed: UInt64) throws -> FittedQEvaluation {
        var settings = FittedQEvaluation.Settings()
        settings.learning.steps = 1500
        settings.learning.batchSize = 64
        settings.learning.hiddenSizes = [32, 32]
        settings.learning.learningRate = 2e-3
        settings.learning.seed = seed
        settings.dataSteps = 500
        settings.transitions = 3000
        settings.discount = Walk.discount
        return try FittedQEvaluation(
            Walk.episodes(300, seed: seed), layout: Walk.layout, settings: settings)
    }

    @Test func `values on a walk are the known ones, and rank who walks`() throws {
        let seed = UInt64.random(in: 0..<1000)
        let evaluation = try evaluation(seed)
        let right = try evaluation.evaluate { $0.map { _ in [1] } }
        let left = try evaluation.evaluate { $0.map { _ in [-1] } }
        let turns = try evaluation.evaluate { moments in
            // Right from where one is not ahead, else left: never arrives.
            moments.map { [$0.observation[0] <= 0 ? 1 : -1] }
        }
        let found = "\(right.value), \(left.value) and \(turns.value), seed \(seed)"
        #expect(abs(right.value - Walk.best) < 0.8, "\(found)")
        #expect(abs(left.value - Walk.worst) < 1.5, "\(found)")
        #expect(abs(turns.value - Walk.worst) < 1.5, "\(found)")
        #expect(right.value > evaluation.heldOutReturn && evaluation.heldOutReturn > left.value)
        #expect(try #require(right.error) < 1e-6, "all starts are alike")
        #expect(right.actionDistance < left.actionDistance)
    }

    @Test func `moments are those of the training episodes, with what lies before them`() throws {
        let evaluation = try evaluation(7)
        var asked = 0
        _ = try evaluation.evaluate(until: { true }) { moments in
            asked += moments.count
            for moment in moments {
                #expect(
                    moment.observation == moment.episode.observation(moment.step).map(Double.init))
            }
            return moments.map { _ in [0] }
        }
        #expect(asked == evaluation.transitionCount + evaluation.heldOutEpisodes)
        #expect(evaluation.heldOutEpisodes == 30 && evaluation.trainingEpisodes == 270)
    }

    @Test func `the same seed gives the same estimate`() throws {
        let estimates = try (0..<2).map { _ in
            try evaluation(3).evaluate { $0.map { _ in [1] } }.value
        }
        #expect(estimates[0] == estimates[1])
    }

    @Test func `too few episodes and settings without meaning are refused`() {
        #expect(throws: LearningError.self) {
            try FittedQEvaluation(Walk.episodes(1, seed: 0), layout: Walk.layout)
        }
        for change in [
            { $0.discount = 1.5 }, { $0.targetRate = 0 }, { $0.transitions = 0 },
            { $0.heldOutFraction = .nan }, { $0.learning.steps = 0 },
        ] as [(inout FittedQEvaluation.Settings) -> Void] {
            var settings = FittedQEvaluation.Settings()
            change(&settings)
            #expect(throws: LearningError.self) {
                try FittedQEvaluation(
                    Walk.episodes(4, seed: 0), layout: Walk.layout, settings: settings)
            }
        }
    }
}
