import Datasets
import Environments
import Episodes
import Figures
import Foundation
import Rendering
import Testing
import Trajectories

@Suite struct MazePlotTests {
    private func plot() throws -> MazePlot {
        var plot = try MazePlot(
            map: MazeMap("11111\n10001\n11111", name: "test"), cellSize: 2,
            trajectories: [[(-2, 0), (0, 0.1), (.nan, 0), (2, 0)], [], [(1, 0)]])
        plot.starts = [plot.center(row: 1, column: 1)]
        plot.goals = [plot.center(row: 1, column: 3)]
        plot.size = 400
        return plot
    }

    private func script(_ plot: MazePlot) throws -> String {
        try plot.script(for: URL(fileURLWithPath: "maze.png"))
    }

    @Test func `cells lie around the middle of the maze, the first row on top`() throws {
        let plot = try plot()
        #expect(plot.center(row: 1, column: 2) == (0, 0))
        #expect(plot.center(row: 0, column: 0) == (-4, 2))
        #expect(plot.center(row: 2, column: 4) == (4, -2))
    }

    @Test func `walls beside each other are one rectangle, free cells none`() throws {
        let script = try script(try plot())
        let walls = script.split(separator: "\n").filter {
            $0.hasPrefix("set object") && $0.contains("border rgb")
        }
        #expect(walls.count == 4)
        #expect(walls.contains { $0.contains("from -5.0, 1.0 to 5.0, 3.0") })
        #expect(walls.contains { $0.contains("from 3.0, -1.0 to 5.0, 1.0") })
    }

    @Test func `steps that are no place are left out, colours go by time or by trajectory`() throws
    {
        var plot = try plot()
        let timed = try script(plot)
        #expect(timed.contains("$line0 << END\n-2.0 0.0 0.0\n0.0 0.1 0.5\n2.0 0.0 1.0\nEND"))
        #expect(timed.contains("$line1 using 1:2:3 with lines linewidth 2.5 linecolor palette"))
        #expect(!timed.contains("$line2") && timed.contains("first step"))
        plot.coloring = .trajectory
        let plain = try script(plot)
        #expect(plain.contains("$line1 using 1:2 with lines") && !plain.contains("first step"))
    }

    @Test func `plans are pale bands below the trajectories of the same number`() throws {
        var plot = try plot()
        plot.coloring = .trajectory
        #expect(try !script(plot).contains("first plan"))
        plot.plans = [[], [(0, 0)], [(1, 0), (1, 0.5)]]
        let script = try script(plot)
        #expect(script.contains("first plan") && !script.contains("$plan0"))
        let plan = try #require(
            script.range(of: "$plan2 using 1:2 with lines linewidth 9 linecolor rgb '#A0059669'"))
        let line = try #require(script.range(of: "$line1 using 1:2 with lines"))
        #expect(plan.lowerBound < line.lowerBound)
        #expect(script.contains("linewidth 2.5 linecolor rgb '#059669'"))
    }

    @Test func `AntMaze lies in D4RL's frame, with the goal that its data are paid for`() throws {
        let environment = try EnvironmentRegistry.simulation("antmaze-umaze-v2")
        let layout = environment.specification.layout
        let dataset = TrajectoryDataset(
            layout: layout,
            trajectories: [
                Trajectory(
                    layout: layout, observations: Array(repeating: 0, count: 29),
                    actions: Array(repeating: 0, count: 8), rewards: [0])
            ], attributes: ["evaluation_goal": "0.500 8.250"])
        let plot = try MazePlot(of: dataset, in: environment, episodes: 1)
        #expect(plot.goals.map(\.x) == [0.5] && plot.goals.map(\.y) == [8.25])
        #expect(plot.center(row: 1, column: 1) == (0, 0))
        let script = try script(plot)
        #expect(script.contains("set xrange [-6.0:14.0]\nset yrange [-6.0:14.0]"))
        // The bar between the corridors, three cells of the third row.
        #expect(script.contains("from -6.0, 2.0 to 6.0, 6.0"))
    }

    @Test func `a walk that goes on at its goal is one line`() throws {
        let environment = try EnvironmentRegistry.simulation("antmaze-umaze-v2")
        let layout = environment.specification.layout
        func episode(_ xs: [Float], _ ending: Trajectory.Ending) -> Trajectory {
            var trajectory = Trajectory(layout: layout, ending: ending)
            for x in xs {
                trajectory.append(
                    observation: [x] + Array(repeating: 0, count: 28),
                    action: Array(repeating: 0, count: 8), reward: 0)
            }
            return trajectory
        }
        let dataset = TrajectoryDataset(
            layout: layout,
            trajectories: [
                episode([0, 0.1], .terminal), episode([0.2], .terminal),
                episode([0.3, 0.4], .timeout), episode([0.5], .terminal),
                episode([4, 4.1], .timeout),
            ])
        let plot = try MazePlot(of: dataset, in: environment, episodes: 9)
        #expect(plot.trajectories.map(\.count) == [5, 1, 2])
        #expect(plot.starts.count == 3 && plot.title.contains("3 of 3 episodes"))
    }

    @Test(arguments: ["png", "svg"])
    func `a picture has the shape of the maze`(format: String) throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("maze-\(UUID().uuidString).\(format)")
        defer { try? FileManager.default.removeItem(at: url) }
        var plot = try plot()
        plot.title = "two ways"
        try plot.write(to: url)
        let data = try Data(contentsOf: url)
        if format == "png" {
            // 400 x 240 and borders of 16, the title's 48 and the legend's 70.
            #expect(Array(data[16..<24]) == [0, 0, 1, 176, 0, 0, 1, 102])
        } else {
            #expect(String(decoding: data, as: UTF8.self).contains("two ways"))
        }
    }
}
