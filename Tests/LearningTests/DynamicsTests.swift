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
        settings.hidden = [32, 32]
        settings.steps = steps
        settings.batchSize = 64
        settings.seed = 5
        return settings
    }

    @Test func `an ensemble learns to predict a pushed mass thirty steps ahead`() throws {
        let trainer = try #require(
            DynamicsTrainer(trajectories(60, seed: 1), settings: settings(steps: 1500)))
        var losses: [Double] = []
        let ensemble = trainer.train(every: 300) { losses.append($0.loss) }
        print("seed 1, losses \(losses)")
        #expect(losses.count == 5 && losses[4] < losses[0] - 0.5)
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
            try #require(DynamicsTrainer(data, settings: settings(steps: 50))).train()
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
        let trainer = try #require(
            DynamicsTrainer(trajectories(10, seed: 7), settings: settings(steps: 50)))
        let ensemble = trainer.train()
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

    @Test func `another file is refused by name`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("other.safetensors")
        try Data("no".utf8).write(to: file)
        let error = #expect(throws: DynamicsEnsemble.FileError.self) {
            try DynamicsEnsemble(contentsOf: file)
        }
        #expect(error?.description.contains(file.path) == true)
    }

    @Test func `predictions that run away stay numbers`() throws {
        let trainer = try #require(
            DynamicsTrainer(trajectories(5, seed: 4), settings: settings(steps: 3)))
        let far = trainer.train().predict(
            from: [1e3, -1e3], actions: Array(repeating: [50], count: 200), samples: 2, seed: 1)
        #expect(far.joined().joined().allSatisfy { $0.isFinite && abs($0) < 100 })
    }

    @Test func `episodes of one row give nothing to learn from`() {
        let single = Trajectory(
            layout: layout, observations: [0, 0], actions: [0], rewards: [0])
        #expect(DynamicsTrainer([single], settings: settings()) == nil)
        #expect(DynamicsTrainer([], settings: settings()) == nil)
    }
}
