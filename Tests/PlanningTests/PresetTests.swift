import Planning
import Testing

@Suite struct PresetTests {
    @Test func `the paper's search is the default of programs, the quick one is smaller`() throws {
        #expect(PlannerOptions(.paper) == PlannerOptions())
        var quick = PlannerOptions(.quick)
        try quick.validate()
        #expect(quick.horizon == 5 && quick.beamWidth == 16)
        (quick.horizon, quick.beamWidth) = (15, 128)
        #expect(quick == PlannerOptions())
    }
}
