import Foundation
import Planning
import Testing

@Suite struct PresetTests {
    @Test func `the search of the authors' code is the default of programs`() throws {
        #expect(PlannerOptions(.authors) == PlannerOptions())
        #expect(PlannerOptions(.authors, for: .likelihood).objective == .likelihood)
    }

    /// Horizon, beam, top-k and mass of actions, by hand from `config/offline.py`.
    @Test(
        arguments: [
            ("authors", 15, 128, nil, 0.6), ("paper", 15, 256, 20, nil),
            ("authors/hopper-medium", 15, 128, nil, 0.6),
            ("authors/hopper-medium-replay", 15, 128, nil, 0.6),
            ("authors/hopper-medium-expert", 15, 128, nil, 0.6),
            ("authors/hopper-expert", 15, 128, nil, 0.6),
            ("authors/halfcheetah-medium", 5, 32, nil, 0.6),
            ("authors/halfcheetah-medium-replay", 5, 32, nil, 0.6),
            ("authors/halfcheetah-medium-expert", 15, 32, nil, 0.6),
            ("authors/walker2d-medium", 15, 128, nil, 0.6),
            ("authors/walker2d-medium-replay", 20, 32, 40, nil),
            ("authors/walker2d-medium-expert", 5, 128, nil, 0.6),
            ("authors/walker2d-expert", 15, 128, nil, 0.6),
            ("authors/ant-medium", 5, 128, nil, 0.6),
            ("authors/ant-medium-replay", 5, 128, nil, 0.6),
            ("authors/ant-medium-expert", 15, 128, nil, 0.6),
            ("authors/ant-random", 5, 128, nil, 0.6),
        ] as [(String, Int, Int, Int?, Double?)])
    func `published searches are as published`(
        _ name: String, _ horizon: Int, _ beam: Int, _ topK: Int?, _ mass: Double?
    ) throws {
        let preset = try #require(PlannerOptions.Preset(rawValue: name))
        var expected = PlannerOptions()
        (expected.horizon, expected.beamWidth) = (horizon, beam)
        (expected.actionTopK, expected.actionCDF) = (topK, mass)
        #expect(PlannerOptions(preset) == expected)
        try PlannerOptions(preset).validate()
        #expect(preset.rawValue == name)
    }

    @Test func `every preset has a name of its own, and another name is none`() throws {
        let names = PlannerOptions.Preset.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count && names.count == 19)
        #expect(names.allSatisfy { PlannerOptions.Preset(rawValue: $0)?.rawValue == $0 })
        for name in ["authors/hopper", "hopper-medium", "authors/", "Paper"] {
            #expect(PlannerOptions.Preset(rawValue: name) == nil)
        }
        let text = try JSONEncoder().encode(["a": PlannerOptions.Preset.authors])
        #expect(String(decoding: text, as: UTF8.self) == #"{"a":"authors"}"#)
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

    @Test func `the mean action is that of all that are drawn`() throws {
        for objective in PlannerOptions.Objective.allCases {
            let options = PlannerOptions(.meanAction, for: objective)
            try options.validate()
            #expect(options.horizon == 1 && options.replanInterval == 1)
            let averages = objective == .expectedReturn
            #expect(options.averagedRows == (averages ? options.beamWidth : 1))
            #expect(!averages || options.expansionFactor == 1)
            #expect(options.contextTransitions == (averages ? 2 : 5))
        }
    }

    @Test(arguments: [PlannerOptions.Objective.likelihood, .q])
    func `of other objectives the quick search is a smaller one of the authors'`(
        _ objective: PlannerOptions.Objective
    ) throws {
        var quick = PlannerOptions(.quick, for: objective)
        try quick.validate()
        #expect(quick.horizon == 5 && quick.beamWidth == 16)
        (quick.horizon, quick.beamWidth) = (15, 128)
        #expect(quick == PlannerOptions(.authors, for: objective))
    }
}
