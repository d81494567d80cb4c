public import Trajectories
public import Transformer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A named way to train: what parameters are at first, what they learn by, how fast.
public enum Recipe: Sendable, Hashable, Codable, CaseIterable, RawRepresentable {
    /// What learns most from few tokens: Muon and a smooth start, without dropout, at a rate that
    /// follows the model's size and the run's length (decision 0015).
    case quick
    /// The authors' code (`config/offline.py`, revision 8834a6e): AdamW at 6e-4 from the authors'
    /// start, with dropout; in a run as long and with batches as large as one chooses.
    case authors
    /// The authors' code for a dataset, also with its batches and its length, which the data decide
    /// (`TrainingSettings.takeLength`).
    case authorsSettings(for: AuthorsDataset)
    /// What the paper states (Janner et al. 2021, appendix A): as the authors' code, but for a rate
    /// of 2.5e-4 after 2,000 updates of warm-up, and 80 epochs.
    case paper

    /// All, those of datasets after the others.
    public static var allCases: [Recipe] {
        [.quick, .paper, .authors] + AuthorsDataset.allCases.map { .authorsSettings(for: $0) }
    }

    /// A name such as `quick` or `authors/hopper-medium`.
    public var rawValue: String {
        switch self {
        case .quick: "quick"
        case .authors: "authors"
        case .authorsSettings(let dataset): dataset.settingsName
        case .paper: "paper"
        }
    }

    /// The recipe of a name; nil where it is none.
    public init?(rawValue: String) {
        guard let recipe = Self.allCases.first(where: { $0.rawValue == rawValue }) else {
            return nil
        }
        self = recipe
    }

    /// Sets what the recipe says; the learning rate is `learningRate(_:width:)`'s matter, the
    /// length `TrainingSettings.takeLength`'s.
    public func apply(
        to options: inout TrainingOptions, _ shape: inout TransformerConfiguration.Shape
    ) {
        guard self != .quick else {
            options.start = .smooth
            options.optimizer = .muon
            options.keepsBest = true
            shape.dropout = 0
            return
        }
        options.start = .authors
        options.optimizer = .adamw
        options.keepsBest = false
        shape.dropout = TransformerConfiguration.Shape().dropout
        if let batchSize { options.batchSize = batchSize }
    }

    /// The full learning rate for a run of these options and a model of `width` channels.
    ///
    /// Of ``quick``, less for wider models and for runs of more than a thousand steps (decision
    /// 0015):
    ///
    ///     8e-3 min(1, 64 / width) min(1, 1000 / steps)^(1/3)
    ///
    /// Of a run that begins with the weights of a checkpoint 5e-4 (decision 0018), so that they are
    /// not lost in its first steps.
    public func learningRate(_ options: TrainingOptions, width: Int) -> Double {
        switch self {
        case .authors, .authorsSettings: return TrainingOptions().learningRate
        case .paper: return 2.5e-4
        case .quick:
            if options.initialCheckpoint != nil { return 5e-4 }
            let length = min(1, 1000 / Double(max(options.steps, 1)))
            let rate = 8e-3 * min(1, 64 / Double(max(width, 1))) * cbrt(length)
            // Two digits: what is recorded is what was typed.
            let scale = pow(10, 1 - floor(log10(rate)))
            return (rate * scale).rounded() / scale
        }
    }

    /// Windows in a batch, where the recipe says.
    private var batchSize: Int? {
        switch self {
        case .quick, .authors: nil
        case .paper: 256
        case .authorsSettings(let dataset):
            switch dataset {
            case .antMedium, .antMediumReplay, .antRandom: 128
            default: 256
            }
        }
    }

    /// How often a million windows are seen, where the recipe says.
    var epochs: Double? {
        switch self {
        case .quick, .authors: nil
        case .paper: 80
        case .authorsSettings(let dataset):
            switch dataset {
            case .hopperMediumReplay, .walker2dMediumReplay: 80
            default: 50
            }
        }
    }
}
