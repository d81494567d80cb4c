import Datasets
import Foundation
import TestSupport
import Testing
import Trajectories

/// Ant's observations, of which the authors keep the first 27.
@Suite struct AntTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(
        _ name: String, width: Int = 111, actions: Int = 2, environment: String? = nil
    ) throws -> URL {
        let layout = TransitionLayout(observationDimension: width, actionDimension: actions)
        let episode = Trajectory(
            layout: layout, observations: (0..<(5 * width)).map { Float($0) },
            actions: (0..<(5 * actions)).map { Float($0) }, rewards: [0, 1, 2, 3, 4],
            ending: .timeout)
        try TrajectoryDataset(
            layout: layout, trajectories: [episode],
            attributes: environment.map { ["environment": $0] } ?? [:]
        ).write(to: folder.file(name))
        return folder.file(name)
    }

    private func read(_ url: URL, keeping dimensions: Int? = nil) throws -> TrajectoryDataset {
        var options = TrajectoryDataset.ReadingOptions()
        options.observationDimensions = dimensions
        return try TrajectoryDataset(contentsOf: url, options: options)
    }

    @Test func `Ant is known by the file's name or the environment's, and the note says so`() throws
    {
        for url in [
            try write("ant-medium-v2.hdf5"), try write("Ant-expert.hdf5"),
            try write("data.hdf5", environment: "Ant-v4"),
        ] {
            let dataset = try read(url)
            #expect(dataset.layout.observationDimension == 27)
            let rows = (0..<5).flatMap { row in (0..<27).map { Float(row * 111 + $0) } }
            #expect(dataset.trajectories[0].observations == rows)
            #expect(dataset.trajectories[0].actions == (0..<10).map { Float($0) })
            #expect(dataset.notes.count == 1)
            #expect(dataset.notes[0].contains("27 of 111"))
        }
    }

    /// The names of `d4rl/infos.py`.
    @Test(arguments: [
        "ant_random.hdf5", "ant_medium.hdf5", "ant_mixed.hdf5", "ant_medium_expert.hdf5",
        "ant_random-v1.hdf5", "ant_expert-v1.hdf5", "ant_medium_replay-v1.hdf5",
        "ant_medium-v2.hdf5", "ant_medium_replay-v2.hdf5", "ant_full_replay-v2.hdf5",
        "Ant_Medium-v2.h5", "ant-medium-v2.hdf5",
    ])
    func `D4RL's own files are Ant's`(name: String) throws {
        let dataset = try read(write(name, actions: 8))
        #expect(dataset.layout.observationDimension == 27)
        #expect(dataset.attributes["environment"] == "ant")
        #expect(dataset.notes.count == 2, "\(dataset.notes)")
    }

    @Test func `a robot is known by the name of D4RL's file, where the dimensions are its own`()
        throws
    {
        func environment(_ name: String, _ width: Int, _ actions: Int) throws -> String? {
            try read(write(name, width: width, actions: actions)).attributes["environment"]
        }
        #expect(try environment("hopper_medium_replay-v2.hdf5", 11, 3) == "hopper")
        #expect(try environment("halfcheetah-random-v0.hdf5", 17, 6) == "halfcheetah")
        #expect(try environment("walker2d_mixed.hdf5", 17, 6) == "walker2d")
        #expect(try environment("ant_expert-v2.hdf5", 27, 8) == "ant")
        #expect(try environment("walker_mixed.hdf5", 17, 6) == "walker2d")
        #expect(try environment("maze2d-large-dense-v1.hdf5", 4, 2) == "maze2d-large-dense-v1")
        #expect(try environment("maze2d-umaze-sparse-v1.hdf5", 4, 2) == "maze2d-umaze-v1")
        for (maze, goals, name) in [
            ("u-maze_noisy_multistart_False", "False", "antmaze-umaze-v2"),
            ("u-maze_noisy_multistart_True", "True", "antmaze-umaze-diverse-v2"),
            ("big-maze_noisy_multistart_True", "False", "antmaze-medium-play-v2"),
            ("hardest-maze_noisy_multistart_True", "True", "antmaze-large-diverse-v2"),
        ] {
            let file = "Ant_maze_\(maze)_multigoal_\(goals)_sparse_fixed.hdf5"
            #expect(try environment(file, 29, 8) == name)
            #expect(try environment(file, 27, 8) == nil)
        }
        #expect(try environment("hopper_medium-v2.hdf5", 12, 3) == nil)
        #expect(try environment("hopper_mine.hdf5", 11, 3) == nil)
        #expect(try environment("hopper_medium-v3.hdf5", 11, 3) == nil)
        let own = try read(
            write("hopper_medium-v2.hdf5", width: 11, actions: 3, environment: "Hopper-v5"))
        #expect(own.attributes["environment"] == "Hopper-v5" && own.notes == [])
    }

    @Test func `nothing else is cut`() throws {
        for url in [
            try write("data.hdf5"), try write("antmaze-v2.hdf5"),
            try write("Ant_maze_big-maze.hdf5"), try write("antenna.hdf5"),
            try write("ant-v5.hdf5", width: 105), try write("ant-small.hdf5", width: 27),
        ] {
            let dataset = try read(url)
            #expect(dataset.notes == [])
            #expect(
                dataset.trajectories[0].observations.last
                    == dataset.trajectories[0]
                    .observations.max())
            #expect(dataset.layout.observationDimension != 27 || url.path.contains("small"))
        }
    }

    @Test func `the option takes any number there is, and wins`() throws {
        let url = try write("ant-medium-v2.hdf5")
        let whole = try read(url, keeping: 111)
        #expect(whole.layout.observationDimension == 111)
        #expect(whole.notes == [])
        #expect(try read(url, keeping: 3).trajectories[0].observations.prefix(4) == [0, 1, 2, 111])
        let error = #expect(throws: DatasetError.self) { try read(url, keeping: 112) }
        #expect(error?.code == .shapeMismatch)
        #expect(error?.field == "observations")
    }
}
