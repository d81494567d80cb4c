import Learning
import Policies
import Episodes
import Behavior
import Environments
import Testing

/// The weight files that come with the package.
@Suite struct ShippedPoliciesTests {
    /// A policy, and where its mean return over a few episodes lies.
    struct Level: Sendable, CustomTestStringConvertible {
        let environment, name: String
        let range: ClosedRange<Double>
        var testDescription: String { "\(environment) \(name)" }
    }

    /// Random search's.
    static let searched = [
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

    /// Soft actor-critic's.
    static let learned = [
        Level(environment: "hopper", name: "weak", range: 260...300),
        Level(environment: "hopper", name: "medium", range: 950...1300),
        Level(environment: "hopper", name: "expert", range: 2500...3750),
        Level(environment: "halfcheetah", name: "weak", range: 2800...3400),
        Level(environment: "halfcheetah", name: "medium", range: 4200...4700),
        Level(environment: "halfcheetah", name: "expert", range: 12_500...13_200),
        Level(environment: "walker2d", name: "weak", range: 300...900),
        Level(environment: "walker2d", name: "medium", range: 700...3000),
        Level(environment: "walker2d", name: "expert", range: 5400...5800),
        Level(environment: "ant", name: "weak", range: 600...900),
        Level(environment: "ant", name: "medium", range: 500...2700),
        Level(environment: "ant", name: "expert", range: 3500...6200),
        Level(environment: "humanoid", name: "weak", range: 300...600),
        Level(environment: "humanoid", name: "medium", range: 800...2500),
        Level(environment: "humanoid", name: "expert", range: 3500...5700),
        Level(environment: "ant-goal", name: "expert", range: 3000...4300),
    ]

    @Test(arguments: searched + learned)
    func `each level of each robot reaches its return`(level: Level) async throws {
        let workers = try EpisodeWorkers(count: 2) {
            try EnvironmentRegistry.make(level.environment)
        }
        let policy = try PolicyParser(workers.specification).parse(level.name)
        let score = await PolicyScore.measure(policy, episodes: 4, firstSeed: 0, workers: workers)
        #expect(level.range.contains(score.mean), "\(score.returns)")
    }

    @Test(arguments: searched + learned)
    func `each policy says how it was trained, so that training can be seen again`(level: Level)
        throws
    {
        let specification = try EnvironmentRegistry.make(level.environment).specification
        let file = try PolicyParser(specification).url(ofLevel: level.name)
        let metadata = try LinearPolicy.metadata(ofFile: file)
        if let record = RandomSearch.Record(metadata) {
            #expect(record.iterations > 0 && record.steps > record.iterations)
            #expect(level.name.hasPrefix("ars-"))
        } else {
            let settings = try #require(SoftActorCriticSettings(metadata))
            try settings.validate()
            let steps = try #require(metadata["steps"].flatMap { Int($0) })
            #expect(steps > settings.warmUp && metadata["memory_refilled_at"] == nil)
            #expect(metadata["environment"] == specification.identifier)
            #expect(metadata["device"] != nil && metadata["hours"] != nil)
        }
    }
}
