import Learning
import Policies
import Episodes
import Behavior
import Environments
import Testing

/// The weight files of random search that come with the package.
@Suite struct ShippedPoliciesTests {
    /// A policy, and where its mean return over a few episodes lies.
    struct Level: Sendable, CustomTestStringConvertible {
        let environment, name: String
        let range: ClosedRange<Double>
        var testDescription: String { "\(environment) \(name)" }
    }

    static let levels = [
        Level(environment: "hopper", name: "ars-weak", range: 200...500),
        Level(environment: "hopper", name: "ars-medium", range: 1000...1600),
        Level(environment: "hopper", name: "ars-expert", range: 3200...3500),
        Level(environment: "halfcheetah", name: "ars-weak", range: 750...1000),
        Level(environment: "halfcheetah", name: "ars-medium", range: 1750...1950),
        Level(environment: "halfcheetah", name: "ars-expert", range: 4400...4800),
        Level(environment: "walker2d", name: "ars-weak", range: 350...500),
        Level(environment: "walker2d", name: "ars-medium", range: 900...1300),
        Level(environment: "walker2d", name: "ars-expert", range: 2850...3050),
        Level(environment: "ant", name: "ars-weak", range: 850...1250),
        Level(environment: "ant", name: "ars-medium", range: 1350...1500),
        Level(environment: "ant", name: "ars-expert", range: 2150...2300),
        Level(environment: "humanoid", name: "ars-weak", range: 300...550),
    ]

    @Test(arguments: levels)
    func `each level of each robot reaches its return`(level: Level) async throws {
        let workers = try EpisodeWorkers(count: 2) {
            try EnvironmentRegistry.make(level.environment)
        }
        let policy = try PolicyParser(workers.specification).parse(level.name)
        let score = await PolicyScore.measure(policy, episodes: 4, firstSeed: 0, workers: workers)
        #expect(level.range.contains(score.mean), "\(score.returns)")
    }

    @Test(arguments: levels)
    func `each policy says how it was trained, so that training can be seen again`(level: Level)
        throws
    {
        let specification = try EnvironmentRegistry.make(level.environment).specification
        let file = try PolicyParser(specification).url(ofLevel: level.name)
        let record = try #require(RandomSearch.Record(LinearPolicy.metadata(ofFile: file)))
        #expect(record.iterations > 0 && record.steps > record.iterations)
    }
}
