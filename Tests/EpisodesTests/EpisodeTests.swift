import Episodes
import TestSupport
import Testing
import Trajectories

@Suite struct EpisodeTests {
    @Test func `an episode ends at a terminal state or at the limit, and counts what it was paid`()
    {
        var still = Episode(in: PointEnvironment(), seed: 3)
        var paid = 0.0
        while !still.isOver { paid += still.take([0]).reward }
        #expect(still.steps == 20 && still.ending == .timeout && still.totalReward == paid)
        var leaving = Episode(in: PointEnvironment(), seed: 3)
        while !leaving.isOver { leaving.take([1]) }
        #expect(leaving.ending == .terminal && leaving.steps < 8)
        #expect(abs(leaving.observation[0]) > 4)
    }

    @Test func `an episode can be cut earlier than the environment does, not later`() {
        for (asked, taken) in [(5, 5), (50, 20)] {
            var episode = Episode(in: PointEnvironment(), seed: 1, maximumSteps: asked)
            while !episode.isOver { episode.take([0]) }
            #expect(episode.steps == taken && episode.ending == .timeout)
        }
        var episode = Episode(in: PointEnvironment(), seed: 1)
        episode.take([0])
        episode.cut()
        #expect(episode.isOver && episode.ending == .timeout && episode.steps == 1)
    }

    @Test func `a terminal state in the last step the limit allows is a terminal state`() {
        var free = Episode(in: PointEnvironment(), seed: 3)
        while !free.isOver { free.take([1]) }
        var limited = Episode(in: PointEnvironment(), seed: 3, maximumSteps: free.steps)
        while !limited.isOver { limited.take([1]) }
        #expect(limited.ending == .terminal)
    }

    @Test func `what is logged is what was done, to the bit`() {
        let third = 1.0 / 3
        let logged = Trajectory(of: Episode(in: PointEnvironment(), seed: 7)) { _ in [third] }
        var again = Episode(in: PointEnvironment(), seed: 7)
        for row in 0..<logged.count {
            #expect(logged.observation(row).elementsEqual(again.observation.map(Float.init)))
            let step = again.take(logged.action(row).map(Double.init))
            #expect(logged.rewards[row] == Float(step.reward))
        }
        #expect(logged.ending == again.ending)
    }

    @Test func `who sees where the episode arrives may end it`() {
        let logged = Trajectory(of: Episode(in: PointEnvironment(), seed: 7)) { _ in
            [0.01]
        } arrive: { _ in
            false
        }
        #expect(logged.count == 1 && logged.ending == .timeout)
    }

    @Test func `no workers are refused in one line`() {
        let error = #expect(throws: EpisodeWorkersError.self) {
            try EpisodeWorkers(count: 0) { PointEnvironment() }
        }
        #expect(error?.description == "cannot use 0 workers: at least 1 is needed")
    }
}
