import Foundation
import Planning
import Testing
import Tokenization

@Suite struct PlannerOptionsTests {
    @Test func `the defaults are the authors' and valid`() throws {
        let options = PlannerOptions()
        try options.validate()
        #expect(options.horizon == 15 && options.beamWidth == 128 && options.expansionFactor == 2)
        #expect(options.observationFilter == TokenFilter(topK: 1))
        #expect(options.actionFilter == TokenFilter(cdf: 0.6))
        #expect(options.rewardFilter == TokenFilter(topK: 1))
        #expect(options.readout == .mean && options.contextTransitions == 5)
        #expect(options.replanInterval == 1 && options.temperature == 1)
        #expect(options.discount == nil)
    }

    private static let impossible: [(String, @Sendable (inout PlannerOptions) -> Void)] = [
        ("horizon", { $0.horizon = 0 }),
        ("beamWidth", { $0.beamWidth = -1 }),
        ("expansionFactor", { $0.expansionFactor = 0 }),
        ("observationTopK", { $0.observationTopK = 0 }),
        ("actionTopK", { $0.actionTopK = 0 }),
        ("rewardTopK", { $0.rewardTopK = -3 }),
        ("likelihoodTopK", { $0.likelihoodTopK = 0 }),
        ("observationCDF", { $0.observationCDF = 1 }),
        ("actionCDF", { $0.actionCDF = 0 }),
        ("rewardCDF", { $0.rewardCDF = .nan }),
        ("readout", { $0.readout = .percentile(1.5) }),
        ("contextTransitions", { $0.contextTransitions = 1 }),
        ("replanInterval", { $0.replanInterval = 16 }),
        ("deadlineMilliseconds", { $0.deadlineMilliseconds = 0 }),
        (
            "deadlineMilliseconds",
            {
                $0.objective = .likelihood
                $0.deadlineMilliseconds = 5
            }
        ),
        (
            "warmStart",
            {
                $0.objective = .likelihood
                $0.warmStart = true
            }
        ),
        ("unlikelyShare", { $0.unlikelyShare = 0.6 }),
        ("unlikelyShare", { $0.unlikelyShare = -0.1 }),
        ("unlikelyShare", { $0.unlikelyShare = .nan }),
        (
            "unlikelyShare",
            {
                $0.objective = .likelihood
                $0.unlikelyShare = 0.2
            }
        ),
        ("likelihoodWeight", { $0.likelihoodWeight = -0.1 }),
        ("likelihoodWeight", { $0.likelihoodWeight = .infinity }),
        (
            "likelihoodWeight",
            {
                $0.objective = .likelihood
                $0.likelihoodWeight = 0.5
            }
        ),
        ("averagedRows", { $0.averagedRows = 0 }),
        ("averagedRows", { $0.averagedRows = 129 }),
        ("levelGuidance", { $0.levelGuidance = -0.5 }),
        ("levelGuidance", { $0.levelGuidance = .infinity }),
        ("temperature", { $0.temperature = 0 }),
        ("discount", { $0.discount = 1.01 }),
    ]

    @Test(arguments: impossible)
    func `an option that cannot be is named, with the remedy`(
        _ name: String, _ change: @Sendable (inout PlannerOptions) -> Void
    ) {
        var options = PlannerOptions()
        change(&options)
        let error = #expect(throws: PlannerOptionsError.self) { try options.validate() }
        #expect(error?.option == name)
        #expect(error?.description.contains(": give") == true)
    }

    @Test(arguments: [ReturnReadout.mean, .percentile(0.8), .percentile(0.2, .authors)])
    func `options survive JSON`(_ readout: ReturnReadout) throws {
        var options = PlannerOptions()
        options.readout = readout
        options.actionTopK = 3
        options.window = .cached
        let data = try JSONEncoder().encode(options)
        #expect(try JSONDecoder().decode(PlannerOptions.self, from: data) == options)
    }
}
