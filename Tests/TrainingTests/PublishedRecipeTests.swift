import Testing
import Tokenization
import Training
import Trajectories
import Transformer

@Suite struct PublishedRecipeTests {
    /// Batch, rate and how often a million windows are seen, by hand from `config/offline.py`.
    @Test(arguments: [
        ("paper", 256, 2.5e-4, 80), ("authors/hopper-medium", 256, 6e-4, 50),
        ("authors/hopper-medium-replay", 256, 6e-4, 80), ("authors/hopper-expert", 256, 6e-4, 50),
        ("authors/halfcheetah-medium-replay", 256, 6e-4, 50),
        ("authors/walker2d-medium-replay", 256, 6e-4, 80), ("authors/ant-medium", 128, 6e-4, 50),
        ("authors/ant-medium-expert", 256, 6e-4, 50), ("authors/ant-random", 128, 6e-4, 50),
    ])
    func `published trainings are as published`(
        _ name: String, _ batch: Int, _ rate: Double, _ epochs: Int
    ) throws {
        let recipe = try #require(Recipe(rawValue: name))
        #expect(recipe.rawValue == name)
        var settings = TrainingSettings(recipe)
        #expect(settings.training.batchSize == batch)
        #expect(recipe.learningRate(settings.training, width: 128) == rate)
        #expect(settings.model == TransformerConfiguration.Shape())
        #expect(settings.tokenization == TokenizedDataset.Settings())
        let chosen = settings.takeLength(of: recipe, windows: 1_000_000, length: 159)
        let note = try #require(chosen)
        let steps = epochs * ((1_000_000 + batch - 1) / batch)
        #expect(settings.training.steps == steps)
        #expect(note.contains("\(steps) steps") && note.contains("\(epochs) passes"))
        #expect(settings.problem == nil)
        if name == "paper" {
            #expect(settings.training.finalTokens == nil)
            #expect((settings.training.warmupFraction * Double(steps)).rounded() == 2000)
        } else {
            #expect(settings.training.finalTokens == 20 * 1_000_000 * 159)
            #expect(settings.training.scheduleEnding == .authors)
            #expect(settings.training.warmupFraction == 0.05)
        }
    }

    @Test func `small data are seen more often, large data once at least`() throws {
        let recipe = Recipe.authorsSettings(for: .hopperMediumReplay)
        var settings = TrainingSettings(recipe)
        _ = settings.takeLength(of: recipe, windows: 400_000, length: 149)
        // int(1e6 / 400,000 * 80) epochs of ceil(400,000 / 256) batches.
        #expect(settings.training.steps == 200 * 1563)
        _ = settings.takeLength(of: recipe, windows: 200_000_000, length: 149)
        #expect(settings.training.steps == 781_250)
        #expect(settings.problem == nil)
    }

    @Test(arguments: [Recipe.quick, .authors])
    func `other recipes leave the length as it is`(_ recipe: Recipe) {
        var settings = TrainingSettings(recipe)
        let before = settings
        let chosen = settings.takeLength(of: recipe, windows: 1000, length: 9)
        #expect(chosen == nil && settings == before)
    }

    @Test func `every recipe has a name of its own, and another name is none`() {
        let names = Recipe.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { Recipe(rawValue: $0)?.rawValue == $0 })
        #expect(Recipe(rawValue: "authors/hopper") == nil)
    }
}
