import Bounds
package import Processes
package import Tokenization
package import Transformer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How long a run is, and of how large a model, that has so many minutes.
package struct TrainingPlan {
    /// The settings, with what was chosen.
    package private(set) var settings: TrainingSettings
    /// What was chosen and why, for people.
    package private(set) var note = ""

    /// Tokens from which on the paper's model is worth its time: those of the authors' first
    /// thousand steps.
    private static let paperTokens = 1000.0 * 256 * 160
    /// Passes over the data at most, as the authors' schedule.
    private static let mostPasses = 20.0
    /// What of the time is left for steps; measurements and checkpoints take the rest.
    private static let share = 0.9

    /// Chooses what is not among `settled`, by steps of the engine that are timed.
    ///
    /// - Throws: `MemoryError` when the model does not fit into memory, `EngineError` when the engine
    ///   fails.
    package init(
        _ settings: TrainingSettings, minutes: Double, recipe: Recipe, settled: Set<String>,
        data: TokenizedDataset, engine: any Engine, group: any ProcessGroup = SingleProcess()
    ) throws {
        self.settings = settings
        var speed = try Self.tokensPerSecond(settings, data, engine, group)
        let seconds = 60 * minutes * Self.share
        let sizes: Set = ["model.layers", "model.heads", "model.width"]
        if recipe == .quick, settled.isDisjoint(with: sizes) {
            let paper = TransformerConfiguration.Shape()
            let ratio =
                Self.blockSize(paper) / Self.blockSize(settings.model)
            if speed * seconds / ratio >= Self.paperTokens {
                self.settings.model.layerCount = paper.layerCount
                self.settings.model.headCount = paper.headCount
                self.settings.model.embeddingWidth = paper.embeddingWidth
                speed = try Self.tokensPerSecond(self.settings, data, engine, group)
            }
        }
        let batch = settings.training.batchSize
        let tokens = Double(batch * data.windows.length)
        let pass = Double(data.windows.count) / Double(batch)
        let inTime = speed * seconds / tokens
        let steps = min(inTime, Self.mostPasses * pass)
        self.settings.training.steps = max(1, Self.twoDigits(steps))
        if !settled.contains("training.learningRate") {
            self.settings.training.learningRate = recipe.learningRate(
                self.settings.training, width: self.settings.model.embeddingWidth)
        }
        let (model, training) = (self.settings.model, self.settings.training)
        let took = Double(training.steps) * tokens / speed / Self.share / 60
        note =
            "\(model.layerCount) layers of \(model.embeddingWidth) channels, \(training.steps) "
            + "steps of \(batch) windows at rate \(training.learningRate): about "
            + "\(took.printed("%.1f")) minutes, "
            + "\((Double(training.steps) / pass).printed("%.1f")) passes over the data"
            + (inTime > steps
                ? ", which is as many as are of use" : "; a longer run would learn more")
    }

    private static func blockSize(_ shape: TransformerConfiguration.Shape) -> Double {
        Double(shape.layerCount) * pow(Double(shape.embeddingWidth), 2)
    }

    /// Rounded, so that a person can type it.
    private static func twoDigits(_ steps: Double) -> Int {
        let scale = pow(10, max(0, floor(log10(max(steps, 1))) - 1))
        return Int((steps / scale).rounded(.down) * scale)
    }

    /// How fast steps are, by the second and following ones within about two seconds; of several
    /// processes, by the first one's clock.
    private static func tokensPerSecond(
        _ settings: TrainingSettings, _ data: TokenizedDataset, _ engine: any Engine,
        _ group: any ProcessGroup
    ) throws -> Double {
        let windows = data.windows
        let configuration = settings.configuration(layout: windows.store.layout)
        var options = TrainingEngineOptions(windowLength: windows.length)
        options.muon = settings.training.optimizer == .muon ? MuonOptions() : nil
        try engine.trainingMemory(configuration, options: options).require()
        let learner = try engine.training(
            TrajectoryTransformer(configuration, seed: 0), options: options)
        let share = group.share(of: settings.training.batchSize)
        var batch = TokenBatch(
            rows: share.count, length: windows.length, goalDimension: windows.goalDimension,
            firstRow: share.lowerBound, totalRows: settings.training.batchSize)
        let exchange = group.gradientExchange
        for row in 0..<batch.rows {
            windows.fill(&batch, row: row, window: row % windows.count, goalSeed: 0)
        }
        var seconds: [Double] = []
        var isDone = false
        while !isDone {
            seconds.append(
                try ContinuousClock().measure {
                    try learner.step(batch, rate: 1e-4, dropoutStream: 0, exchange: exchange)
                    _ = try learner.summary()
                } / .seconds(1))
            isDone =
                seconds.count >= 2
                && (seconds.dropFirst().reduce(0, +) >= 2 || seconds.count >= 200)
            isDone = try group.exchange(isDone ? 1 : 0, isPatient: false)[0] != 0
        }
        let rest = seconds.dropFirst().sorted()
        let step = try group.gather([max(rest[rest.count / 2], 1e-6)])[0][0]
        return Double(batch.totalRows * windows.length) / step
    }
}
