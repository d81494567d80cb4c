import Agents
import Episodes
import Planning
import Policies
import TestSupport
import Testing

@Suite struct PolicyAgentTests {
    @Test func `an observation of another length or not a number is refused, as by a planner`()
        throws
    {
        var agent = PolicyAgent(
            PolicyMixture(ProportionalPolicy(gain: -0.5)),
            layout: PointEnvironment().specification.layout)
        agent.reset(seed: 1)
        #expect(try agent.act(on: [0.5]).action == [-0.25])
        for observation in [[], [1, 2], [.nan], [-.infinity]] as [[Double]] {
            let error = #expect(throws: PlanningError.self) { try agent.act(on: observation) }
            #expect(error?.code == .input, "\(observation)")
        }
    }

    @Test func `an action or reward that is no number ends the episode`() throws {
        var agent = PolicyAgent(
            PolicyMixture(ProportionalPolicy(gain: .infinity)),
            layout: PointEnvironment().specification.layout)
        agent.reset(seed: 1)
        let action = #expect(throws: PlanningError.self) { try agent.act(on: [0]) }
        #expect(action?.description.contains("number 0 of the policy's action is") == true)
        #expect(throws: PlanningError.self) { try agent.receive(reward: .nan) }
        try agent.receive(reward: 0)
    }
}
