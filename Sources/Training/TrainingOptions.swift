import Bounds
public import Transformer

/// How long and how a model is trained; the defaults are the authors' code's, for a machine of few
/// cores.
///
/// `config/offline.py` and `scripts/train.py` of Janner et al. 2021 (revision 8834a6e); the paper's
/// appendix A differs (``Recipe/paper``). The authors' batch of 256 is 32 here: on two cores, eight
/// times as many updates are worth more than their smoothness.
public struct TrainingOptions: Sendable, Hashable, Codable {
    /// What makes new parameters of a gradient.
    public enum Optimizer: String, Sendable, Hashable, Codable, CaseIterable {
        /// AdamW for all parameters, as the authors.
        case adamw
        /// Muon for the matrices inside the blocks, AdamW for all others (`MuonOptions`).
        case muon
    }

    /// What the model's parameters are before the first step.
    public var start = TransformerStart.authors
    /// What makes new parameters of a gradient.
    public var optimizer = Optimizer.adamw
    /// Training steps.
    public var steps = 2000
    /// Windows in a batch.
    public var batchSize = 32
    /// The full learning rate.
    public var learningRate = 6e-4
    /// Share of the run's tokens with linear warm-up.
    public var warmupFraction = 0.05
    /// Tokens at which the cosine ends; nil for the end of the run.
    ///
    /// The authors end it after 20 epochs of windows, of which the first is warm-up.
    public var finalTokens: Int?
    /// What the learning rate does after ``finalTokens``.
    public var scheduleEnding = LearningRateSchedule.Ending.hold
    /// Decay of the weight matrices, in units of the learning rate.
    public var weightDecay = 0.1
    /// Share of the windows that comes from the best episodes alone, those with the largest returns
    /// that together hold ``bestFraction`` of the transitions, a tenth where that is nil; the others
    /// come from all.
    ///
    /// Plans begin as the data do, so what the data do often is what a plan looks at first. Seen more
    /// often, good behaviour is found by few beams, while the model still learns what follows bad
    /// actions. Weights of whole trajectories are Hong et al. 2023 (arXiv 2306.13085).
    public var bestShare = 0.0
    /// Which part of the transitions counts as the best episodes'; nil for a tenth.
    public var bestFraction: Double?
    /// Share of the windows that comes from the openings of the episodes alone
    /// (`TokenWindows.openings(_:)`), of those from the best episodes as of those from all.
    ///
    /// A plan at the start of an episode decides which behaviour is followed, and of a thousand
    /// transitions the data hold but a few that show how behaviours begin.
    public var openingShare = 0.0
    /// How many transitions count as an episode's opening; nil for as many as a window has.
    public var openingLength: Int?
    /// In which order the windows of an epoch are seen.
    public var windowOrder = WindowOrder.shuffled
    /// Folder of the checkpoint with whose weights the run begins; nil for fresh ones.
    ///
    /// Its bins and its model must be those of the run; dropout and weights of the loss may differ.
    public var initialCheckpoint: String?
    /// Gradients of a larger norm are scaled down to it.
    public var gradientLimit = 1.0
    /// Share of the episodes that is held out.
    public var heldOutFraction = 0.05
    /// Steps between measurements of the held-out loss.
    public var evaluationInterval = 200
    /// Steps between checkpoints.
    public var checkpointInterval = 500
    /// Whether the checkpoint of the smallest held-out loss is kept beside the last.
    public var keepsBest = false
    /// Measurements of the held-out loss in a row without a smaller one than before, after which
    /// training stops with a checkpoint; nil for none.
    public var patience: Int?
    /// Wall-clock limit in minutes, after which training stops with a checkpoint; nil for none.
    public var timeLimit: Double?
    /// Fixes initial values, order of the data and dropout.
    public var seed: UInt64 = 0
    /// Worker threads of the engine, for who makes one by these options; by their number sums are
    /// rounded.
    ///
    /// Nil for one a core, or for a resumed run as many as it had.
    public var workers: Int?

    /// The defaults.
    public init() {}

    /// What is wrong with the options, or nil.
    public var problem: String? {
        if let problem = Bound.steps.problem("steps", steps)
            ?? Bound.batch.problem("batchSize", batchSize)
            ?? Bound.steps.problem("evaluationInterval", evaluationInterval)
            ?? Bound.steps.problem("checkpointInterval", checkpointInterval)
            ?? Bound.workers.problem("workers", workers)
            ?? Bound.steps.problem("patience", patience)
            ?? Bound(1, through: .max).problem("openingLength", openingLength)
            ?? Bound(1, through: .max).problem("finalTokens", finalTokens)
        {
            return problem
        }
        let positive: [(String, Double)] = [
            ("learningRate", learningRate), ("gradientLimit", gradientLimit),
            ("timeLimit", timeLimit ?? 1),
        ]
        if let (name, value) = positive.first(where: { !($0.1 > 0 && $0.1.isFinite) }) {
            return "\(name) must be positive, found \(value)"
        }
        for (name, value) in [
            ("learningRate", learningRate), ("gradientLimit", gradientLimit),
            ("weightDecay", weightDecay), ("timeLimit", timeLimit ?? 1),
        ] where !(value >= 0 && value.isFinite) {
            return "\(name) must be a finite number from 0 up, found \(value)"
        }
        guard (0..<1).contains(heldOutFraction) else {
            return "heldOutFraction must lie in [0, 1), found \(heldOutFraction)"
        }
        guard (0...1).contains(bestShare) else {
            return "bestShare must lie in [0, 1], found \(bestShare)"
        }
        guard (0...1).contains(openingShare) else {
            return "openingShare must lie in [0, 1], found \(openingShare)"
        }
        if let bestFraction {
            guard bestFraction > 0, bestFraction <= 1 else {
                return "bestFraction must be above 0 and at most 1, found \(bestFraction)"
            }
            guard bestShare > 0 else { return "bestFraction needs a bestShare above 0" }
        }
        guard openingLength == nil || openingShare > 0 else {
            return "openingLength needs an openingShare above 0"
        }
        guard (0...1).contains(warmupFraction) else {
            return "warmupFraction must lie in [0, 1], found \(warmupFraction)"
        }
        return nil
    }

    /// What the engine needs to know of these, for windows of `length` tokens.
    func engineOptions(windowLength length: Int) -> TrainingEngineOptions {
        var result = TrainingEngineOptions(windowLength: length)
        result.weightDecay = Float(weightDecay)
        result.gradientLimit = Float(gradientLimit)
        result.muon = optimizer == .muon ? MuonOptions() : nil
        return result
    }

    /// The schedule of the learning rate, counted in tokens of full windows.
    func schedule(tokensPerStep: Int) -> LearningRateSchedule {
        let final = finalTokens ?? Int.saturating(steps, times: tokensPerStep)
        return LearningRateSchedule(
            rate: learningRate,
            warmupTokens: Int(exactly: (warmupFraction * Double(final)).rounded(.down)) ?? final,
            finalTokens: final, ending: scheduleEnding)
    }
}
