import Tokenization
import Transformer

/// What a user said of a training run: values for some of its settings.
///
///     var overrides = TrainingOverrides()
///     overrides.set(\.training.steps, 5000)
///     overrides.set(\.model.dropout, nil)  // not said
public struct TrainingOverrides {
    private var changes: [(inout TrainingSettings) -> Void] = []
    private var paths: Set<PartialKeyPath<TrainingSettings>> = []

    /// Nothing was said.
    public init() {}

    /// Says what a setting is to be; nil says nothing.
    public mutating func set<Value>(
        _ path: WritableKeyPath<TrainingSettings, Value>, _ value: Value?
    ) {
        guard let value else { return }
        changes.append { $0[keyPath: path] = value }
        paths.insert(path)
    }

    /// Says what a setting that may be unset is to be; nil says nothing, not that it be unset.
    public mutating func set<Value>(
        _ path: WritableKeyPath<TrainingSettings, Value?>, _ value: Value?
    ) {
        guard let value else { return }
        changes.append { $0[keyPath: path] = value }
        paths.insert(path)
    }

    /// Whether something was said of a setting.
    public func contains(_ path: PartialKeyPath<TrainingSettings>) -> Bool {
        paths.contains(path)
    }

    /// Replaces the settings that something was said of.
    public func apply(to settings: inout TrainingSettings) {
        for change in changes { change(&settings) }
    }

    /// Of the settings by which a run's length and the model's size are chosen, those that something
    /// was said of, by their names in files.
    public var settled: Set<String> {
        let names: [(PartialKeyPath<TrainingSettings>, String)] = [
            (\.training.steps, "training.steps"),
            (\.training.learningRate, "training.learningRate"),
            (\.model.layerCount, "model.layers"), (\.model.headCount, "model.heads"),
            (\.model.embeddingWidth, "model.width"),
            (\.tokenization.windowLength, "tokenization.windowLength"),
            (\.tokenization.binCount, "tokenization.binCount"),
            (\.tokenization.strategy, "tokenization.strategy"),
            (\.tokenization.hiding, "tokenization.hiding"),
            (\.tokenization.discount, "tokenization.discount"),
            (\.tokenization.terminationPenalty, "tokenization.terminationPenalty"),
        ]
        return Set(names.filter { paths.contains($0.0) }.map(\.1))
    }
}
