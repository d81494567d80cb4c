import Datasets
import Environments
import Episodes
import Figures
import Foundation
import MuJoCo
import Testing
import Trajectories

@Suite struct RecordedEpisodeTests {
    private let file = URL(fileURLWithPath: "data.hdf5")

    /// An episode of Hopper as data, with the states that were really there.
    private func hopper(steps: Int) throws -> (TrajectoryDataset, [SimulationState]) {
        let environment = try EnvironmentRegistry.simulation("hopper")
        let layout = environment.specification.layout
        var trajectory = Trajectory(layout: layout)
        var observation = environment.reset(seed: 5)
        var states: [SimulationState] = []
        for _ in 0..<steps {
            states.append(environment.state)
            let action = Array(repeating: Float(0.2), count: layout.actionDimension)
            let step = environment.step(action.map(Double.init))
            trajectory.append(
                observation: observation.map(Float.init), action: action,
                reward: Float(step.reward))
            observation = step.observation
        }
        return (TrajectoryDataset(layout: layout, trajectories: [trajectory]), states)
    }

    @Test func `data give the states back, but for where the robot is on the ground`() throws {
        let (data, states) = try hopper(steps: 5)
        let episode = try RecordedEpisode(
            of: data, file: file, episode: 0, environment: EnvironmentRegistry.simulation("hopper"))
        #expect(episode.source == "data.hdf5, episode 0" && episode.rewards.count == 5)
        for (drawn, real) in zip(episode.states, states) {
            for index in 1..<real.positions.count {
                #expect(abs(drawn.positions[index] - real.positions[index]) < 1e-5)
            }
            // Integrated by the trapezoidal rule from a start that is not observed.
            let moved = real.positions[0] - states[0].positions[0]
            #expect(abs(drawn.positions[0] - episode.states[0].positions[0] - moved) < 1e-3)
        }
    }

    @Test func `what cannot be drawn is told by code`() throws {
        let (data, _) = try hopper(steps: 2)
        let hopper = try EnvironmentRegistry.simulation("hopper")
        var error = #expect(throws: FigureError.self) {
            try RecordedEpisode(of: data, file: file, episode: 1, environment: hopper)
        }
        #expect(error?.code == .noEpisode)
        error = #expect(throws: FigureError.self) {
            try RecordedEpisode.observedState(of: hopper, dimension: 5)
        }
        #expect(error?.code == .tooFewDimensions)
        error = #expect(throws: FigureError.self) {
            try MazePlot(of: data, in: hopper, episodes: 1)
        }
        #expect(error?.code == .noMaze)
    }

    @Test func `frames are spread evenly, the first and the last among them`() {
        #expect(EpisodeDrawing.even(10, of: 4) == [0, 3, 6, 9])
        #expect(EpisodeDrawing.even(3, of: 8) == [0, 1, 2])
        #expect(EpisodeDrawing.even(10, of: 1) == [0])
    }

    @Test func `episodes of a maze are lines from their starts to a goal that stays`() throws {
        let maze = try EnvironmentRegistry.simulation("maze2d-umaze")
        let layout = maze.specification.layout
        let trajectories = (0..<4).map { number in
            Trajectory(
                layout: layout,
                observations: [Float(number), 1, 0, 0, Float(number), 2, 0, 0],
                actions: [0, 0, 0, 0], rewards: [0, 0])
        }
        let plot = try MazePlot(
            of: TrajectoryDataset(layout: layout, trajectories: trajectories), in: maze,
            episodes: 2)
        #expect(plot.title == "\(maze.specification.identifier), 2 of 4 episodes")
        #expect(plot.starts.map(\.x) == [0, 2] && plot.goals.count == 1)
        #expect(plot.trajectories.map(\.count) == [2, 2])
    }
}
