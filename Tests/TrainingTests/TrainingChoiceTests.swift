import Testing
import Tokenization
import Training
import Transformer

/// How settings are joined for whoever asks for a run: the command line, Python, the program for
/// machines with a card.
@Suite struct TrainingChoiceTests {
    @Test func `what nobody says is the recipe's, and a quick run takes five minutes`() throws {
        let choice = try TrainingChoice(TrainingOverrides())
        #expect(choice.recipe == .quick && choice.minutes == 5 && choice.settled.isEmpty)
        var expected = TrainingSettings(.quick)
        expected.training.learningRate = choice.settings.training.learningRate
        #expect(choice.settings == expected)
        #expect(try TrainingChoice(TrainingOverrides(), recipe: .authors).minutes == nil)
        #expect(try TrainingChoice(TrainingOverrides(), minutes: 2).minutes == 2)
    }

    @Test func `what the user says holds over the file, and the file over the recipe`() throws {
        var overrides = TrainingOverrides()
        overrides.set(\.training.steps, 1000)
        overrides.set(\.model.layerCount, 3)
        overrides.set(\.training.patience, nil)
        #expect(overrides.contains(\.training.steps) && !overrides.contains(\.training.patience))
        let choice = try TrainingChoice(overrides) { settings in
            var settings = settings
            settings.model.layerCount = 7
            settings.model.headCount = 2
            settings.training.patience = 4
            return (settings, ["model.layers", "model.heads", "training.patience"])
        }
        #expect(choice.settings.model.layerCount == 3 && choice.settings.model.headCount == 2)
        #expect(choice.settings.training.patience == 4)
        #expect(
            choice.settled
                == ["training.steps", "model.layers", "model.heads", "training.patience"])
        // A length is said, so no minutes choose it; the rate follows the length.
        #expect(choice.minutes == nil && !choice.isFileFlawed)
        #expect(choice.settings.training.learningRate == 8e-3)
        overrides.set(\.training.learningRate, 1e-3)
        #expect(try TrainingChoice(overrides).settings.training.learningRate == 1e-3)
    }

    @Test func `a run that goes on keeps its settings but for what is said`() throws {
        var run = TrainingSettings(.quick)
        run.training.learningRate = 3e-3
        run.training.optimizer = .adamw
        run.tokenization.goalColumns = [0, 1]
        var overrides = TrainingOverrides()
        overrides.set(\.training.seed, 9)
        let choice = try TrainingChoice(overrides, resumes: true, run: run)
        var expected = run
        expected.training.seed = 9
        #expect(choice.settings == expected && choice.minutes == nil)
        // A recipe that is named says how it goes on, not how large it is.
        let named = try TrainingChoice(overrides, recipe: .quick, resumes: true, run: run)
        #expect(named.settings.training.optimizer == .muon)
        #expect(named.settings.training.learningRate == 3e-3)
        // Without a record it is from before there were recipes.
        #expect(try TrainingChoice(overrides, resumes: true).recipe == .authors)
    }

    @Test func `whether the file alone cannot be is known`() throws {
        let flawed: TrainingChoice.File = { settings in
            var settings = settings
            settings.training.steps = -1
            return (settings, ["training.steps"])
        }
        let choice = try TrainingChoice(TrainingOverrides(), file: flawed)
        #expect(choice.isFileFlawed && choice.settings.problem?.contains("steps") == true)
        var overrides = TrainingOverrides()
        overrides.set(\.training.steps, 10)
        let mended = try TrainingChoice(overrides, file: flawed)
        #expect(mended.isFileFlawed && mended.settings.problem == nil)
        overrides.set(\.training.batchSize, 0)
        #expect(try !TrainingChoice(overrides).isFileFlawed)
    }

    @Test func `sizes that nobody says may be others than the recipe's`() throws {
        let choice = try TrainingChoice(TrainingOverrides(), base: TrainingSettings())
        #expect(choice.settings.model.layerCount == TrainingSettings().model.layerCount)
        #expect(choice.settings.training.optimizer == .muon)
    }
}
