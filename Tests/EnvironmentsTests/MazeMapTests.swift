import Environments
import Episodes
import Foundation
import Testing
import TestSupport
import Trajectories

@Suite struct MazeMapTests {
    @Test func `every named map is a valid one`() throws {
        for (name, map) in MazeMap.named {
            let text = map.cells.map { String($0.map(\.rawValue)) }.joined(separator: "\n")
            #expect(try MazeMap(text, name: name) == map)
        }
    }

    @Test func `other signs for walls and floor and blank lines are understood`() throws {
        let map = try MazeMap("\n#####\n#. .#\n#####\n\n", name: "mine")
        #expect(map.rowCount == 3 && map.columnCount == 5)
        #expect(map.goalCells.count == 3 && map.startCells == map.goalCells)
    }

    @Test func `letters restrict starts and goals as in Gymnasium-Robotics`() throws {
        let map = try MazeMap("11111\n1rg01\n11111", name: "mine")
        #expect(map.startCells == [.init(row: 1, column: 1)])
        #expect(map.goalCells == [.init(row: 1, column: 2)])
        let both = try MazeMap("11111\n1cg01\n11111", name: "mine")
        #expect(both.startCells == [.init(row: 1, column: 1)])
        #expect(both.goalCells == [.init(row: 1, column: 2), .init(row: 1, column: 1)])
        let goalsOnly = try MazeMap("11111\n10g01\n11111", name: "mine")
        #expect(goalsOnly.startCells == [.init(row: 1, column: 1), .init(row: 1, column: 3)])
    }

    @Test(arguments: [
        ("", "no row"), ("111\n1x1\n111", "line 2, column 2 is 'x'"),
        ("1111\n1001\n111", "line 3 has 3 cells"), ("1111\n1000\n1111", "gap in its border"),
        ("111\n101\n111", "no room"), ("11111\n10101\n11111", "not all connected"),
        ("11111\n1c001\n11111", "in different cells"),
        ("#####\n#c..#\n#####", "in different cells"),
    ])
    func `a text that is no maze is refused with its place`(text: String, message: String) {
        let error = #expect(throws: EnvironmentError.self) { try MazeMap(text, name: "mine") }
        #expect(error?.code == .invalidMap)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a goal that would leave no start is drawn anew, and the last goal stays`() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("map.txt")
        // The only start may be a goal as well, which no episode can have.
        try "#####\n#c.g#\n#####".write(to: file, atomically: true, encoding: .utf8)
        let environment = try EnvironmentRegistry.make("pointmaze:\(file.path)")
        for seed: UInt64 in 0..<20 {
            let start = environment.reset(seed: seed)
            let goal = try #require((environment as? any GoalEnvironment)?.goal)
            #expect(goal[0] > 0.5 && start[0] < -0.5, "seed \(seed)")
        }
    }

    @Test func `cells and metres convert both ways`() throws {
        let map = try #require(MazeMap.named.first { $0.name == "large" }?.map)
        for position in map.positions(where: { _ in true }) {
            let center = map.center(of: position, cellSize: 4)
            #expect(map.position(x: center.x + 1.9, y: center.y - 1.9, cellSize: 4) == position)
        }
        #expect(map.center(of: .init(row: 0, column: 0), cellSize: 1) == (-5.5, 4))
    }

    @Test func `distances count cells around walls`() throws {
        let map = try #require(MazeMap.named.first { $0.name == "umaze" }?.map)
        let distances = map.distances(to: .init(row: 1, column: 1))
        #expect(distances.count == 7)
        #expect(distances[.init(row: 3, column: 1)] == 6)
    }

    @Test func `a map file makes a maze of one's own`() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("map.txt")
        try "#####\n#r.g#\n#####".write(to: file, atomically: true, encoding: .utf8)
        for kind in ["pointmaze", "antmaze-dense"] {
            let environment = try EnvironmentRegistry.make("\(kind):\(file.path)")
            let observation = environment.reset(seed: 1)
            #expect(observation.count == environment.specification.layout.observationDimension)
        }
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.make("pointmaze:\(file.path).missing")
        }
        #expect(error?.code == .invalidMap)
    }
}
