import RandomNumbers
import Episodes
import Environments
import MuJoCo
import Testing
import Trajectories

@Suite struct ActionRepeatTests {
    @Test func `a name says how long actions are held, and limits count decisions`() throws {
        let repeated = try EnvironmentRegistry.simulation("PointMaze_UMaze@7")
        let base = try EnvironmentRegistry.simulation("pointmaze-umaze-v3")
        let (mine, each) = (repeated.specification, base.specification)
        #expect(mine.identifier == "pointmaze-umaze-v3@7" && mine.family == "pointmaze")
        // 300 steps are 42 decisions of 7 and one of 6.
        #expect(each.maximumEpisodeSteps == 300 && mine.maximumEpisodeSteps == 43)
        #expect(mine.layout == each.layout && mine.actionLimits == each.actionLimits)
        #expect(abs(repeated.stepDuration - 7 * base.stepDuration) < 1e-12)
        #expect(try EnvironmentRegistry.simulation("hopper@2").specification.survivalBonus == 2)
        #expect(try EnvironmentRegistry.simulation(mine.identifier).specification == mine)
    }

    @Test(arguments: ["hopper", "pointmaze-umaze"])
    func `a step is that many of the base's, paid together`(name: String) throws {
        let repeated = try EnvironmentRegistry.simulation("\(name)@5")
        let base = try EnvironmentRegistry.simulation(name)
        #expect(repeated.reset(seed: 3) == base.reset(seed: 3))
        var generator = PCG64(seed: 8)
        for _ in 0..<4 {
            let action = base.specification.actionLimits.map { _ in generator.uniform(-0.3, 0.3) }
            let steps = (0..<5).map { _ in base.step(action) }
            let step = repeated.step(action)
            #expect(step.observation == steps[4].observation)
            #expect(abs(step.reward - steps.reduce(0) { $0 + $1.reward }) < 1e-12)
            #expect(abs(step.rewardTerms.reduce(0) { $0 + $1.value } - step.reward) < 1e-9)
            #expect(repeated.state == base.state)
        }
    }

    @Test func `a terminal state ends the step it comes in`() throws {
        let repeated = try EnvironmentRegistry.simulation("hopper@1000")
        let base = try EnvironmentRegistry.simulation("hopper")
        #expect(repeated.reset(seed: 1) == base.reset(seed: 1))
        let step = repeated.step([1, 1, 1])
        var reward = 0.0
        while true {
            let each = base.step([1, 1, 1])
            reward += each.reward
            guard each.isTerminated else { continue }
            #expect(step.isTerminated && step.observation == each.observation)
            #expect(abs(step.reward - reward) < 1e-9)
            return
        }
    }

    @Test func `a maze stays one, with its goal`() throws {
        let maze = try #require(
            EnvironmentRegistry.simulation("pointmaze-fourrooms@5") as? any MazeSimulation)
        let base = try #require(
            EnvironmentRegistry.simulation("pointmaze-fourrooms") as? any MazeSimulation)
        _ = (maze.reset(seed: 4), base.reset(seed: 4))
        #expect(maze.goal == base.goal && maze.achievedGoal == base.achievedGoal)
        #expect(maze.map == base.map && maze.goalColumns == [0, 1])
        #expect(maze.successRadius == base.successRadius && !maze.isReached())
        maze.goal = maze.achievedGoal
        #expect(maze.isReached())
        #expect(try !(EnvironmentRegistry.simulation("hopper@5") is any GoalEnvironment))
    }

    @Test(arguments: ["hopper@0", "hopper@-2", "hopper@1001"])
    func `actions cannot be held for no time or for ever`(name: String) {
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.simulation(name)
        }
        #expect(error?.description.contains("give 1 to 1000 after the @") == true)
    }

    @Test func `what follows an @ and is no number is part of a name`() {
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.simulation("hopper@v4")
        }
        #expect(error?.description.contains("did you mean 'hopper-v4'") == true)
    }
}
