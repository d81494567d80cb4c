import Transformer

/// How a run is to be trained, joined of what its user said and left unsaid.
///
///     var overrides = TrainingOverrides()
///     overrides.set(\.model.layerCount, 4)
///     let choice = try TrainingChoice(overrides, recipe: .quick)
///     // choice.settings are those of `quick` with four layers, for five minutes.
public struct TrainingChoice: Sendable {
    /// All settings.
    public var settings: TrainingSettings
    /// Names of those that the minutes may not change.
    public var settled: Set<String>
    /// The recipe that rate and length follow.
    public let recipe: Recipe
    /// About how many minutes to train; nil for the steps of the settings.
    public let minutes: Double?
    /// Whether what a file says cannot be, whatever was said besides.
    public let isFileFlawed: Bool

    /// What a configuration file makes of settings, and the names of those it gives.
    public typealias File = (_ over: TrainingSettings) throws -> (TrainingSettings, Set<String>)

    /// Joins the settings.
    ///
    /// They are those of the recipe, or of the run that goes on, replaced by what a file says, then
    /// by what the user said, and may be unusable (`TrainingSettings.problem`).
    ///
    /// - Parameters:
    ///   - overrides: What the user said.
    ///   - chosen: The recipe, if one is named; else ``Recipe/quick`` for a new run.
    ///   - resumes: Whether a run goes on.
    ///   - run: That run's settings, where they are on record.
    ///   - base: Size, batches and length where nobody says; the recipe's if nil.
    ///   - minutes: About how long a new run is to take, if the user said.
    ///   - file: What a configuration file says.
    /// - Throws: What `file` throws.
    public init(
        _ overrides: TrainingOverrides, recipe chosen: Recipe? = nil, resumes: Bool = false,
        run: TrainingSettings? = nil, base: TrainingSettings? = nil, minutes: Double? = nil,
        file: File? = nil
    ) throws {
        // A run without a record is from before there were recipes.
        recipe = chosen ?? (resumes ? .authors : .quick)
        var settings = run ?? base ?? TrainingSettings(recipe)
        if run != nil {
            chosen?.apply(to: &settings.training, &settings.model)
        } else {
            recipe.apply(to: &settings.training, &settings.model)
        }
        var settled = overrides.settled
        if let file {
            let names: Set<String>
            (settings, names) = try file(settings)
            settled.formUnion(names)
        }
        isFileFlawed = file != nil && settings.problem != nil
        overrides.apply(to: &settings)
        if run == nil, !settled.contains("training.learningRate") {
            settings.training.learningRate = recipe.learningRate(
                settings.training, width: settings.model.embeddingWidth)
        }
        let hasLength = resumes || settled.contains("training.steps")
        self.minutes =
            hasLength
            ? nil : minutes ?? settings.training.timeLimit ?? (recipe == .quick ? 5 : nil)
        self.settings = settings
        self.settled = settled
    }
}
