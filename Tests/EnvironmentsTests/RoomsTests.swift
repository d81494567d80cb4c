import Environments
import Episodes
import RandomNumbers
import Testing

@Suite struct RoomsTests {
    /// The environment after its reset.
    private func rooms(
        _ maps: RoomsEnvironment.Maps = .seen, seed: UInt64
    ) -> (environment: RoomsEnvironment, observation: [Double]) {
        let environment = RoomsEnvironment(maps)
        return (environment, environment.reset(seed: seed))
    }

    @Test func `doors are a tree: all rooms can be reached, and no wall could stay closed`() {
        for seed: UInt64 in 0..<50 {
            var generator = PCG64(seed: seed)
            let plan = RoomPlan(using: &generator)
            #expect(
                plan.doors.count == 7 && plan.doors.filter { $0 > 0 }.count == 5
                    && plan.doors.allSatisfy { 0...3 ~= $0 })
            let map = plan.map
            // Six rooms of nine cells, and a cell for each door.
            let free = map.positions { $0 != .wall }
            #expect(free.count == 59)
            #expect(map.distances(to: free[0]).count == 59)
        }
    }

    @Test func `a seed says map, start and goal`() {
        let (one, first) = rooms(seed: 4)
        let (same, again) = rooms(seed: 4)
        let (other, elsewhere) = rooms(seed: 5)
        #expect(first == again && one.plan == same.plan && one.goal == same.goal)
        #expect(one.plan != other.plan && first != elsewhere)
        #expect(!one.isReached())
    }

    @Test func `the place is observed first, then the doors, which stay`() {
        let (environment, observation) = rooms(seed: 7)
        #expect(environment.specification.goalColumns == [0, 1])
        #expect(Array(observation.prefix(2)) == environment.achievedGoal)
        let doors = environment.plan.doors.map(Double.init)
        #expect(Array(observation[RoomsEnvironment.mapColumns]) == doors)
        let next = environment.step([0.3, -0.2]).observation
        #expect(Array(next[RoomsEnvironment.mapColumns]) == doors)
        #expect(Array(next.prefix(2)) == environment.achievedGoal)
    }

    @Test func `maps that are unseen are none of those of the data`() {
        let seen = Set(RoomPlan.seen)
        for seed: UInt64 in 0..<200 {
            #expect(seen.contains(rooms(.seen, seed: seed).environment.plan))
            #expect(!seen.contains(rooms(.unseen, seed: seed).environment.plan))
        }
    }

    @Test func `where the map is not observed, it is the same and only the place is told`() {
        for seed: UInt64 in 0..<5 {
            let (told, observation) = rooms(.unseen, seed: seed)
            let (untold, place) = rooms(.unobserved, seed: seed)
            #expect(told.plan == untold.plan && told.goal == untold.goal)
            #expect(place == Array(observation.prefix(2)))
            #expect(untold.step([1, 0]).observation.count == 2)
        }
    }

    @Test func `walls stop a point, which slides along them`() {
        var generator = PCG64(seed: 3)
        for seed: UInt64 in 0..<10 {
            let (environment, _) = rooms(seed: seed)
            for _ in 0..<100 {
                let action = [generator.uniform(-3, 3), generator.uniform(-3, 3)]
                let before = environment.achievedGoal
                _ = environment.step(action)
                let place = environment.achievedGoal
                // At most a metre along an axis, whatever is asked for.
                #expect(zip(before, place).allSatisfy { abs($0 - $1) < 1 + 1e-9 })
                for x in [-0.1, 0.1] {
                    for y in [-0.1, 0.1] {
                        let cell = environment.map.position(
                            x: place[0] + x, y: place[1] + y, cellSize: 1)
                        #expect(environment.map[cell] != .wall)
                    }
                }
            }
            // Into a corner: along both walls until neither lets it on.
            for _ in 0..<40 { _ = environment.step([1, 1]) }
            let corner = environment.achievedGoal
            _ = environment.step([1, 1])
            #expect(environment.achievedGoal == corner)
        }
    }

    @Test func `the shortest path leads through doors to the goal, where a step is paid`() throws {
        for seed: UInt64 in 0..<10 {
            let (environment, _) = rooms(.unseen, seed: seed)
            let path = try #require(
                environment.map.shortestPath(
                    from: environment.achievedGoal, to: environment.goal, cellSize: 1,
                    clearance: 0.15))
            var reward = 0.0
            for corner in path.dropFirst() {
                for _ in 0..<20 where !environment.isReached() {
                    let here = environment.achievedGoal
                    let way = zip(corner, here).map { $0 - $1 }
                    // Straight, so that no corner is cut.
                    let length = max(1, way.map { abs($0) }.max() ?? 1)
                    reward = environment.step(way.map { $0 / length }).reward
                }
            }
            #expect(environment.isReached() && reward == 1, "seed \(seed)")
        }
    }

    @Test func `actions in rooms are not held, and there is no simulation to draw`() {
        var error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.make("rooms@5")
        }
        #expect(error?.code == .notSimulated && error?.description.contains("@5") == true)
        error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.simulation("rooms")
        }
        #expect(error?.code == .notSimulated)
    }
}
