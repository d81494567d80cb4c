import Live
import Planning
import Testing

@Suite struct LiveSessionTests {
    @Test func `steps follow each other, with returns, plans and poses`() throws {
        let session = try randomSession()
        #expect(session.scene.view == .side && session.scene.foresees)
        #expect(session.scene.bodies == 5 && session.scene.tracked == [1, 4])
        #expect(session.start.pose.values.count == 35)
        var total = 0.0
        var pose = session.start.pose
        for number in 1...6 {
            let step = try session.advance()
            total += step.reward
            #expect(step.step == number && step.episode == 1)
            #expect(abs(step.totalReward - total) < 1e-9)
            #expect(step.pose != pose)
            // Every plan is followed for two steps.
            #expect((step.plan != nil) == (number % 2 == 1))
            if let plan = step.plan {
                #expect(plan.step == number - 1 && plan.horizon == 3 && plan.rewards.count == 3)
                #expect(plan.rewards[0] == step.predictedReward)
                let ahead = try #require(plan.poses).values
                #expect(ahead.count == 3 * 35)
                #expect(Array(ahead.prefix(35)) == pose.values, "a plan begins at the present")
                // Three other sequences, two bodies each, three points of a line.
                #expect(try #require(plan.beams).values.count == 3 * 2 * 3 * 3)
            }
            pose = step.pose
        }
    }

    @Test func `an episode depends on its seed, and a reset begins it anew`() throws {
        let (one, other) = (try randomSession(seed: 4), try randomSession(seed: 5))
        func steps(of session: LiveSession) throws -> [[Float]] {
            try (0..<4).map { _ in try session.advance().pose.values }
        }
        let first = try steps(of: one)
        #expect(try steps(of: other) != first)
        one.reset(seed: 5)
        #expect(one.start.seed == 5 && one.start.episode == 2)
        one.reset()
        #expect(one.start.seed == 6 && one.start.episode == 3)
        one.reset(seed: 4)
        #expect(try steps(of: one) == first)
    }

    @Test(arguments: ["hopper", "hopper@2", "ant-v4", "pointmaze-umaze"])
    func `a push moves the robot as long as it lasts`(name: String) throws {
        let (pushed, left) = (try randomSession(in: name), try randomSession(in: name))
        _ = (try pushed.advance(), try left.advance())
        pushed.push(SIMD3(3 * pushed.scene.weight, 0, 0), steps: 2)
        let forces = try (0..<3).map { _ in try pushed.advance().force }
        #expect(forces.map { $0?[0] } == [3 * pushed.scene.weight, 3 * pushed.scene.weight, nil])
        for _ in 0..<3 { _ = try left.advance() }
        // To the right, whatever the robot does meanwhile.
        let root = 7 * pushed.scene.root
        let places = [try pushed.advance(), try left.advance()].map { $0.pose.values[root] }
        #expect(places[0] > places[1] + 0.001)
        // And it is forgotten with the episode.
        pushed.push(SIMD3(100, 0, 0), steps: 50)
        pushed.reset(seed: 1)
        left.reset(seed: 1)
        #expect(try pushed.advance().pose == left.advance().pose)
    }

    @Test func `the search changes with the next step, and what makes no sense changes nothing`()
        throws
    {
        let session = try randomSession()
        _ = try session.advance()
        var search = LiveCommand.Search()
        search.horizon = 5
        search.beamWidth = 2
        search.replanInterval = 1
        try session.change(search)
        let plan = try #require(try session.advance().plan)
        #expect(plan.horizon == 5 && plan.beamWidth == 2)
        let options = session.options
        for (horizon, width) in [(0, nil), (nil, -3), (nil, 1 << 40), (1 << 40, nil)] {
            var wrong = LiveCommand.Search()
            wrong.horizon = horizon
            wrong.beamWidth = width
            #expect(throws: PlannerOptionsError.self) { try session.change(wrong) }
        }
        var unknown = LiveCommand.Search()
        unknown.objective = .q
        let error = #expect(throws: LiveError.self) { try session.change(unknown) }
        #expect(error?.description.contains("critic") == true)
        #expect(session.options == options)
        #expect(try #require(try session.advance().plan).horizon == 5)
    }

    @Test func `an objective comes and goes with what belongs to it`() throws {
        let session = try randomSession()
        var search = LiveCommand.Search()
        search.deadlineMilliseconds = 50
        try session.change(search)
        #expect(session.options.deadlineMilliseconds == 50)
        search = .init()
        search.objective = .likelihood
        try session.change(search)
        #expect(session.options.deadlineMilliseconds == nil)
        _ = try session.advance()
        search.objective = .expectedReturn
        try session.change(search)
        #expect(session.options.likelihoodWeight == smallSearch.likelihoodWeight)
        search = .init()
        search.deadlineMilliseconds = 0
        try session.change(search)
        #expect(session.options.deadlineMilliseconds == nil)
    }

    @Test func `a maze's goal can be set, a robot has none`() throws {
        let maze = try randomSession(in: "pointmaze-umaze", goals: true)
        #expect(maze.scene.view == .above && maze.scene.ground != nil)
        try maze.setGoal([1, 1])
        #expect(try maze.advance().goal == [1, 1])
        let error = #expect(throws: LiveError.self) { try randomSession().setGoal([0, 0]) }
        #expect(error?.description.contains("hopper-v4 has no goal") == true)
    }
}
