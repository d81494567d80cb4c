import Environments
import Evaluation
import Figures
import Planning
import Agents
import Testing

@Suite struct RoomsPlotTests {
    /// Goes straight on, wherever walls let it.
    private struct StraightAgent: Agent {
        mutating func reset(seed: UInt64) {}
        mutating func act(on observation: [Double]) -> Controller.Decision {
            Controller.Decision(action: [0.4, 0.1])
        }
        mutating func receive(reward: Double) {}
    }

    @Test func `each episode is drawn on its map, within its floor`() throws {
        let rooms = RoomsEnvironment(.unseen)
        var agent = StraightAgent()
        let rollouts = try (0..<5).map { seed in
            try Rollout(of: &agent, in: rooms, seed: UInt64(seed), options: .init(maximumSteps: 20))
        }
        let plot = MazePlot(of: rollouts, eachOnItsMap: rooms)
        #expect(plot.trajectories.count == 5 && plot.starts.count == 5 && plot.goals.count == 5)
        // Three by two maps, of nine rows and thirteen columns.
        #expect(plot.map.rowCount == 2 * 10 - 1 && plot.map.columnCount == 3 * 14 - 1)
        #expect(plot.map.cells.allSatisfy { $0.count == plot.map.columnCount })
        #expect(plot.map.positions { $0 != .wall }.count == 5 * 59)
        for point in plot.trajectories.joined() + plot.goals {
            let cell = plot.map.position(x: point.x, y: point.y, cellSize: plot.cellSize)
            #expect(plot.map[cell] != .wall)
        }
    }
}
