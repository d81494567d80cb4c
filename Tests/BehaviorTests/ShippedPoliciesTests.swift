import Behavior
import Environments
import Testing

/// The weight files that come with the package.
@Suite struct ShippedPoliciesTests {
    @Test(arguments: [
        ("weak", 200.0...500.0), ("medium", 1000.0...1600.0), ("expert", 3200.0...3500.0),
    ])
    func `each level of Hopper reaches its return`(level: String, range: ClosedRange<Double>)
        async throws
    {
        let workers = try EpisodeWorkers(count: 2) { try EnvironmentRegistry.make("hopper-v4") }
        let policy = try PolicyParser(workers.specification).parse(level)
        let score = await PolicyScore.measure(policy, episodes: 4, firstSeed: 0, workers: workers)
        #expect(range.contains(score.mean), "\(score.returns)")
        #expect(level != "expert" || score.lengths.allSatisfy { $0 == 1000 })
    }
}
