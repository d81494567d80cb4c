import Environments
import Episodes
import Testing
import Trajectories

@Suite struct EnvironmentTests {
    @Test(arguments: ["hopper", "Hopper", "hopper-v4", "Hopper-v4", "HOPPER_v4"])
    func `a name without version and in any case is understood`(name: String) throws {
        #expect(try EnvironmentRegistry.make(name).specification.identifier == "hopper-v4")
    }

    @Test(arguments: [
        ("PointMaze_UMaze-v3", "pointmaze-umaze-v3"),
        ("PointMaze_UMazeDense-v3", "pointmaze-umaze-dense-v3"),
        ("AntMaze_Large_Diverse_GR-v5", "antmaze-large-diverse-gr-v5"), ("ant", "ant-v4"),
        ("pointmaze-fourrooms", "pointmaze-fourrooms-v3"), ("antmaze-umaze", "antmaze-umaze-v4"),
    ])
    func `Gymnasium's names are understood`(name: String, canonical: String) throws {
        #expect(try EnvironmentRegistry.make(name).specification.identifier == canonical)
    }

    @Test func `every listed name makes the environment of that name`() throws {
        for name in EnvironmentRegistry.names {
            let environment = try EnvironmentRegistry.make(name)
            #expect(environment.specification.identifier == name)
            let observation = environment.reset(seed: 3)
            #expect(observation.count == environment.specification.layout.observationDimension)
        }
    }

    @Test(arguments: ["hoper-v4", "hoper", "Hoppper"])
    func `an unknown name is answered with the nearest one`(name: String) {
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.make(name)
        }
        #expect(error?.code == .unknownName)
        #expect(error?.description.contains("'\(name)'") == true)
        #expect(error?.description.contains("did you mean 'hopper-v4'") == true)
    }

    @Test func `a name like no other is refused without a suggestion`() {
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.make("CartPole-v1")
        }
        #expect(error?.description.contains("did you mean") == false)
    }

    @Test func `normalized scores are 0 and 100 at D4RL's references`() throws {
        let specification = try EnvironmentRegistry.make("hopper").specification
        #expect(specification.normalizedScore(-20.272305) == 0)
        #expect(specification.normalizedScore(3234.3) == 100)
        let middle = try #require(specification.normalizedScore(1607.0138475))
        #expect(abs(middle - 50) < 1e-9)
    }

    @Test func `the same seed and actions give the same episode, another seed another`() throws {
        func observations(seed: UInt64) throws -> [[Double]] {
            let environment = try EnvironmentRegistry.make("hopper")
            return [environment.reset(seed: seed)]
                + (0..<10).map { environment.step([0.1 * Double($0), 0.5, -0.5]).observation }
        }
        #expect(try observations(seed: 5) == observations(seed: 5))
        #expect(try observations(seed: 5) != observations(seed: 6))
    }
}
