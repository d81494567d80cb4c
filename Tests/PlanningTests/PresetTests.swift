import Planning
import Testing

@Suite struct PresetTests {
    @Test func `the paper's search is the default of programs`() throws {
        #expect(PlannerOptions(.paper) == PlannerOptions())
        #expect(PlannerOptions(.paper, for: .likelihood).objective == .likelihood)
    }

    @Test func `the quick search for returns is cautious and sees what the model can`() throws {
        let quick = PlannerOptions(.quick)
        try quick.validate()
        #expect(quick.likelihoodWeight > 0 && quick.actionCDF == nil)
        #expect(quick.horizon + quick.contextTransitions - 1 == 10)
        #expect(try quick.fitted(toWindowOf: 5).contextTransitions == 5)
        #expect(try quick.fitted(toWindowOf: 10) == quick)
        var other = quick
        other.contextTransitions = 7
        #expect(throws: PlannerOptionsError.self) { try other.fitted(toWindowOf: 5) }
    }

    @Test(arguments: [PlannerOptions.Objective.likelihood, .q])
    func `of other objectives the quick search is a smaller paper's`(
        _ objective: PlannerOptions.Objective
    ) throws {
        var quick = PlannerOptions(.quick, for: objective)
        try quick.validate()
        #expect(quick.horizon == 5 && quick.beamWidth == 16)
        (quick.horizon, quick.beamWidth) = (15, 128)
        #expect(quick == PlannerOptions(.paper, for: objective))
    }
}
