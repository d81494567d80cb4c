import Learning
import Foundation
import TestSupport
import Testing
import Trajectories

@Suite struct DynamicsTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    /// A damped mass that is pushed: position and velocity.
    private func next(_ state: [Double], _ action: Double) -> [Double] {
        [state[0] + 0.1 * state[1], 0.9 * state[1] + 0.2 * action]
    }

    private func trajectories(_ count: Int, seed: UInt64) -> [Trajectory] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            var trajectory = Trajectory(layout: layout)
            var state = [Double(generator.float(in: -1...1)), Double(generator.float(in: -1...1))]
            for _ in 0..<40 {
                let action = generator.float(in: -1...1)
                trajectory.append(observation: state.map(Float.init), action: [action], reward: 0)
                state = next(state, Double(action))
            }
            return trajectory
        }
    }

    private func settings(steps: Int = 600) -> DynamicsTrainer.Settings {
        var settings = DynamicsTrainer.Settings()
        settings.members = 3
        settings.learning.hiddenSizes = [32, 32]
        settings.learning.steps = steps
        settings.learning.batchSize = 64
        settings.learning.seed = 5
        return settings
    }

    @Test func `an ensemble learns to predict a pushed mass thirty steps ahead`() throws {
        let trainer = try DynamicsTrainer(
            trajectories(60, seed: 1), settings: settings(steps: 1500))
        var losses: [Double] = []
        let (ensemble, last) = try trainer.train { losses.append($0.losses[0].value) }
        print("seed 1, losses \(losses)")
        #expect(last.step == 1500 && losses.count == 8 && losses[7] < losses[0] - 0.5)
        var state = [0.5, -0.2]
        let actions = (0..<30).map { [sin(Double($0) / 3)] }
        let truth = actions.map { action in
            state = next(state, action[0])
            return state
        }
        let predictions = ensemble.predict(
            from: [0.5, -0.2], actions: actions, samples: 6, seed: 2)
        #expect(predictions.count == 6)
        for step in [0, 9, 29] {
            for index in 0..<2 {
                let mean = predictions.reduce(0) { $0 + $1[step][index] } / 6
                #expect(abs(mean - truth[step][index]) < 0.15, "step \(step): \(mean)")
            }
        }
    }

    @Test func `the same seed gives the same ensemble, and a file keeps it`() throws {
        let data = trajectories(10, seed: 3)
        func train() throws -> DynamicsEnsemble {
            try DynamicsTrainer(data, settings: settings(steps: 50)).train().ensemble
        }
        let ensemble = try train()
        let actions = Array(repeating: [0.3], count: 5)
        func predict(_ ensemble: DynamicsEnsemble, seed: UInt64 = 1) -> [[[Double]]] {
            ensemble.predict(from: [0, 0], actions: actions, samples: 4, seed: seed)
        }
        let expected = predict(ensemble)
        #expect(try predict(train()) == expected)
        #expect(predict(ensemble, seed: 2) != expected)
        let folder = try TemporaryFolder()
        let file = folder.file("dynamics.safetensors")
        try ensemble.write(to: file, metadata: ["environment": "mass"])
        #expect(try predict(DynamicsEnsemble(contentsOf: file)) == expected)
    }

    @Test func `trajectories that are predicted together are as each is alone`() throws {
        let trainer = try DynamicsTrainer(trajectories(10, seed: 7), settings: settings(steps: 50))
        let ensemble = try trainer.train().ensemble
        let beginnings = (0..<5).map { index in
            DynamicsEnsemble.Beginning(
                observation: [0.1 * Double(index), -0.3],
                actions: (0..<8).map { [sin(Double($0 * (index + 1)))] })
        }
        // Seven samples of three networks, so that these share their passes unevenly.
        let together = ensemble.predict(beginnings, samples: 7, seed: 3)
        #expect(together.count == 5 && Set(together.joined()).count == 35)
        for (beginning, predictions) in zip(beginnings, together) {
            #expect(
                predictions
                    == ensemble.predict(
                        from: beginning.observation, actions: beginning.actions, samples: 7, seed: 3
                    ))
        }
        #expect(ensemble.predict([], samples: 1, seed: 0).isEmpty)
    }

    @Test func `networks learn from what they see, and a file keeps that they do not see all`()
        throws
    {
        var hidden = settings(steps: 1500)
        hidden.hiding = Hiding(probability: 0.5, seed: 3)
        let ensemble = try DynamicsTrainer(trajectories(60, seed: 1), settings: hidden).train()
            .ensemble
        #expect(ensemble.hidden == 0.5)
        let actions = Array(repeating: [0.3], count: 4)
        func first(_ ensemble: DynamicsEnsemble, hidden: Set<Int>) -> [Double] {
            var means = [0.0, 0.0]
            _ = ensemble.predict(
                [.init(observation: [0.9, 0.5], actions: actions, hidden: hidden)], samples: 3,
                seed: 2
            ) { next in
                if next.step == 0 {
                    for index in 0..<2 { means[index] += next.mean[index] / 3 }
                }
            }
            return means
        }
        let seen = first(ensemble, hidden: [])
        let truth = next([0.9, 0.5], 0.3)
        print("seed 1, seen \(seen), truth \(truth)")
        #expect(abs(seen[0] - truth[0]) < 0.2 && abs(seen[1] - truth[1]) < 0.2)
        // Without the position the networks know that of the data at most.
        let unseen = first(ensemble, hidden: [0])
        #expect(abs(unseen[0]) < 0.5 && abs(unseen[1] - truth[1]) < 0.2, "\(unseen)")
        let folder = try TemporaryFolder()
        let file = folder.file("dynamics.safetensors")
        try ensemble.write(to: file)
        let kept = try DynamicsEnsemble(contentsOf: file)
        #expect(kept.hidden == 0.5 && first(kept, hidden: [0]) == unseen)
        hidden.hiding = Hiding(probability: 1)
        let error = #expect(throws: LearningError.self) {
            try DynamicsTrainer(trajectories(2, seed: 1), settings: hidden)
        }
        #expect(error?.code == .invalidSetting)
    }

    @Test func `the distribution of a step is what its number is drawn from`() throws {
        let ensemble = try DynamicsTrainer(trajectories(10, seed: 3), settings: settings(steps: 50))
            .train().ensemble
        var observed: [DynamicsEnsemble.Distribution] = []
        let predictions = ensemble.predict(
            [.init(observation: [0.1, 0.2], actions: [[0.3]])], samples: 300, seed: 1
        ) { observed.append($0) }
        #expect(Set(observed.map(\.sample)) == Set(0..<300))
        let squares = observed.map { next -> Double in
            let distance =
                (predictions[0][next.sample][0][1] - next.mean[1]) / next.deviation[1]
            return distance * distance
        }
        // Squares of standard normal numbers: mean 1, deviation of the mean of 300 0.08.
        #expect(abs(squares.reduce(0, +) / 300 - 1) < 0.4)
    }

    @Test func `another file is refused by name`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("other.safetensors")
        try Data("no".utf8).write(to: file)
        let error = #expect(throws: LearningError.self) {
            try DynamicsEnsemble(contentsOf: file)
        }
        #expect(error?.description.contains(file.path) == true)
    }

    @Test func `predictions that run away stay numbers`() throws {
        let trainer = try DynamicsTrainer(trajectories(5, seed: 4), settings: settings(steps: 3))
        let far = try trainer.train().ensemble.predict(
            from: [1e3, -1e3], actions: Array(repeating: [50], count: 200), samples: 2, seed: 1)
        #expect(far.joined().joined().allSatisfy { $0.isFinite && abs($0) < 100 })
    }

    @Test func `what gives nothing to learn from, or cannot be, is refused`() {
        let single = Trajectory(
            layout: layout, observations: [0, 0], actions: [0], rewards: [0])
        for data in [[], [single]] {
            let error = #expect(throws: LearningError.self) {
                try DynamicsTrainer(data, settings: settings())
            }
            #expect(error?.code == .noData)
        }
        var none = settings()
        none.members = 0
        let error = #expect(throws: LearningError.self) {
            try DynamicsTrainer(trajectories(2, seed: 1), settings: none)
        }
        #expect(error?.code == .invalidSetting)
    }

    @Test func `a loss that is no number ends training`() throws {
        var wild = settings(steps: 400)
        wild.learning.learningRate = 1e30
        let trainer = try DynamicsTrainer(trajectories(5, seed: 6), settings: wild)
        let error = #expect(throws: LearningError.self) { try trainer.train() }
        #expect(error?.code == .diverged)
    }
}
