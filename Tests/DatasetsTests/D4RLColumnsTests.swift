import Datasets
import Foundation
import HDF5
import TestSupport
import Testing
import Trajectories

/// What D4RL's second version keeps beside the arrays that are read.
@Suite struct D4RLColumnsTests {
    private let layout = TransitionLayout(observationDimension: 2, actionDimension: 1)

    /// Episodes whose numbers count up, with a scalar and a matrix of infos.
    private func episodes(finalObservations: Bool = true) -> [Trajectory] {
        [3, 1, 2].enumerated().map { index, count in
            var trajectory = Trajectory(layout: layout)
            for row in 0..<count {
                let number = Float(10 * index + row)
                trajectory.append(
                    observation: [number, -number], action: [0.5], reward: 1,
                    infos: ["qpos": [number, 1, 2], "action_log_probs": [-number]])
            }
            trajectory.ending = index == 1 ? .terminal : .timeout
            if finalObservations { trajectory.finalObservation = [Float(100 + index), 0] }
            return trajectory
        }
    }

    private func written(_ dataset: TrajectoryDataset, _ folder: TemporaryFolder) throws
        -> HDF5Group
    {
        let url = folder.file("data.hdf5")
        try dataset.write(to: url)
        return try HDF5File(reading: url).root
    }

    @Test func `they are written beside the arrays, and reading leaves them alone`() throws {
        let folder = try TemporaryFolder()
        var dataset = TrajectoryDataset(layout: layout, trajectories: episodes())
        dataset.metadata = [
            "algorithm": .text("SAC"), "iteration": .integer(7),
            "policy/fc0/weight": .numbers([1, 2, 3, 4], shape: [2, 2]),
            "policy/nonlinearity": .text("relu"),
        ]
        let root = try written(dataset, folder)
        #expect(try root.dataset("infos/qpos").shape == [6, 3])
        #expect(
            try root.dataset("infos/qpos").floats()
                == [0, 1, 2, 1, 1, 2, 2, 1, 2, 10, 1, 2, 20, 1, 2, 21, 1, 2])
        #expect(try root.dataset("infos/action_log_probs").shape == [6])
        #expect(try root.dataset("infos/action_log_probs").floats() == [0, -1, -2, -10, -20, -21])
        #expect(
            try root.dataset("next_observations").floats()
                == [1, -1, 2, -2, 100, 0, 101, 0, 21, -21, 102, 0])
        #expect(
            try root.dataset("terminals").booleans() == [false, false, false, true, false, false])
        #expect(
            try root.dataset("timeouts").booleans() == [false, false, true, false, false, true])
        #expect(try root.dataset("metadata/iteration").shape == [])
        #expect(try root.dataset("metadata/iteration").integers() == [7])
        #expect(try root.dataset("metadata/policy/fc0/weight").shape == [2, 2])
        #expect(try root.dataset("metadata/policy/fc0/weight").floats() == [1, 2, 3, 4])
        #expect(try root.group("metadata").members() == ["algorithm", "iteration", "policy"])
        #expect(try root.group("metadata/policy").members() == ["fc0", "nonlinearity"])

        let read = try TrajectoryDataset(contentsOf: folder.file("data.hdf5"))
        #expect(read.trajectories.map(\.observations) == episodes().map(\.observations))
        #expect(read.trajectories.map(\.ending) == episodes().map(\.ending))
        #expect(read.trajectories.allSatisfy { $0.infos.isEmpty && $0.finalObservation == nil })
        #expect(read.metadata.isEmpty)
    }

    @Test func `what is not known of every row is left out`() throws {
        let folder = try TemporaryFolder()
        var mixed = episodes()
        mixed[0] = episodes(finalObservations: false)[0]
        var other = Trajectory(layout: layout)
        other.append(observation: [5, 5], action: [1], reward: 0, infos: ["qpos": [1, 2, 3]])
        let root = try written(
            TrajectoryDataset(layout: layout, trajectories: mixed + [other]), folder)
        #expect(try root.group("infos").members() == ["qpos"])
        #expect(try root.dataset("infos/qpos").shape == [7, 3])
        #expect(!root.contains("next_observations") && !root.contains("metadata"))

        other = Trajectory(layout: layout)
        other.append(observation: [5, 5], action: [1], reward: 0)
        let plain = try written(
            TrajectoryDataset(layout: layout, trajectories: episodes() + [other]), folder)
        #expect(!plain.contains("infos"))
    }

    @Test func `some rows of an episode keep theirs`() throws {
        let episode = episodes()[0]
        let part = episode.rows(1..<2)
        #expect(part.observations == [1, -1] && part.ending == .unfinished)
        #expect(part.infos["qpos"]?.values == [1, 1, 2])
        #expect(part.finalObservation == [2, -2])
        #expect(episode.rows(0..<3, ending: .timeout) == episode)
        #expect(episode.with(rewards: [4, 5, 6]).rewards == [4, 5, 6])
    }
}
