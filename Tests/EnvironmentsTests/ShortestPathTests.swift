import Environments
import Episodes
import Foundation
import Testing

@Suite struct ShortestPathTests {
    private func map(_ rows: String...) throws -> MazeMap {
        try MazeMap(rows.joined(separator: "\n"), name: "mine")
    }

    private func path(_ map: MazeMap, _ start: [Double], _ goal: [Double]) -> [[Double]]? {
        map.shortestPath(from: start, to: goal, cellSize: 1, clearance: 0.1)
    }

    @Test func `where nothing is between, the path is straight`() throws {
        let open = try map("#####", "#...#", "#...#", "#####")
        #expect(path(open, [-1, 0.5], [1, -0.4]) == [[-1, 0.5], [1, -0.4]])
        #expect(path(open, [0.3, 0], [0.3, 0]) == [[0.3, 0], [0.3, 0]])
    }

    @Test func `it turns at corners, as far from the wall as it must`() throws {
        // The wall in the middle reaches from x = -0.5 to 0.5 and up to y = 0.
        let corridor = try map("#####", "#...#", "#.#.#", "#####")
        let found = try #require(path(corridor, [-1, -0.5], [1, -0.5]))
        #expect(found.count == 4)
        for (point, expected) in zip(found[1...2], [[-0.6, 0.1], [0.6, 0.1]]) {
            #expect(abs(point[0] - expected[0]) < 1e-9 && abs(point[1] - expected[1]) < 1e-9)
        }
        let length = zip(found, found.dropFirst()).reduce(0) {
            $0 + hypot($1.1[0] - $1.0[0], $1.1[1] - $1.0[1])
        }
        #expect(abs(length - (1.2 + 2 * hypot(0.4, 0.6))) < 1e-9)
    }

    @Test func `between walls that touch at a corner there is no way`() throws {
        let map = try map("######", "#..#.#", "#.#..#", "#....#", "######")
        let found = try #require(path(map, [-0.5, 1], [0.5, 0]))
        #expect(found.count > 2)
        #expect(path(map, [-0.5, 1], [0.5, 1]) == nil, "the goal is in a wall")
    }

    @Test(arguments: ["pointmaze-umaze", "pointmaze-large", "antmaze-medium"])
    func `no path is longer than one through the middles of cells, nor shorter than the air line`(
        name: String
    ) throws {
        let maze = try #require(EnvironmentRegistry.make(name) as? any MazeSimulation)
        for seed: UInt64 in 0..<30 {
            _ = maze.reset(seed: seed)
            let (start, goal) = (maze.achievedGoal, maze.goal)
            let length = try #require(maze.shortestPathLength(from: start, to: goal))
            let air = hypot(start[0] - goal[0], start[1] - goal[1])
            #expect(length >= max(0, air - maze.successRadius) - 1e-9, "seed \(seed)")
            func cell(_ point: [Double]) -> MazeMap.Position {
                maze.map.position(x: point[0], y: point[1], cellSize: maze.cellSize)
            }
            let cells = try #require(maze.map.distances(to: cell(goal))[cell(start)])
            // From a start to the middle of its cell and from that of the goal's to the goal.
            let detours = 2 * 0.25 * maze.cellSize * 2.0.squareRoot()
            #expect(length <= Double(cells) * maze.cellSize + detours, "seed \(seed)")
        }
    }
}
