public import Foundation
public import PythonFiles
public import Tokenization

/// What the authors' code writes beside a state: `model_config.pkl` and `data_config.pkl`.
///
/// Each is one object of their class `Config`, whose attribute `_dict` has the settings by name.
public struct AuthorsSettings: Sendable, Equatable {
    /// Number of attention heads.
    public var headCount: Int?
    /// Number of observation dimensions.
    public var observationDimension: Int?
    /// Number of action dimensions.
    public var actionDimension: Int?
    /// Weights in the loss.
    public var actionWeight, rewardWeight, valueWeight: Float?
    /// Probabilities of dropout.
    public var embeddingDropout, attentionDropout, residualDropout: Float?
    /// The data, by D4RL's name.
    public var environment: String?
    /// The factor by which a reward counts less for each step it lies ahead.
    public var discount: Double?
    /// What takes the place of the last reward of terminal episodes; nil where nothing says so.
    public var terminationPenalty: TerminationPenalty?
    /// Where the edges of bins come from.
    public var strategy: Discretizer.Strategy?
    /// Bins of a dimension.
    public var binCount: Int?

    /// Nothing known.
    public init() {}

    /// Reads the two files where they are in `folder`.
    ///
    /// - Throws: `PythonFileError` when one of them is damaged or says what cannot be.
    public init(in folder: URL) throws(PythonFileError) {
        if let model = try Entries(folder, "model_config.pkl") {
            headCount = try model.count("n_head")
            observationDimension = try model.count("observation_dim")
            actionDimension = try model.count("action_dim")
            binCount = try model.count("vocab_size")
            actionWeight = try model.weight("action_weight")
            rewardWeight = try model.weight("reward_weight")
            valueWeight = try model.weight("value_weight")
            embeddingDropout = try model.weight("embd_pdrop")
            attentionDropout = try model.weight("attn_pdrop")
            residualDropout = try model.weight("resid_pdrop")
        }
        if let data = try Entries(folder, "data_config.pkl") {
            environment = data.text("env")
            discount = try data.number("discount")
            binCount = try data.count("N") ?? binCount
            if data.has("penalty") {
                terminationPenalty = TerminationPenalty(try data.number("penalty"))
            }
            switch data.text("discretizer") {
            case nil: break
            case "QuantileDiscretizer": strategy = .quantile
            case "Discretizer": strategy = .uniform
            case let other?:
                throw data.refusal(
                    "discretizer", "'\(other.prefix(80))' is none that is known here")
            }
            if let step = try data.count("step"), step != 1 {
                throw data.refusal("step", "it is \(step); only data of every step are read here")
            }
        }
    }

    /// The settings in one file.
    private struct Entries {
        let pickle: Pickle
        let entries: [String: Pickle.Place]

        /// Nil where there is no such file.
        init?(_ folder: URL, _ name: String) throws(PythonFileError) {
            let url = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: url.path) else { return nil }
            let pickle = try Pickle(contentsOf: url)
            guard let object = pickle.object(pickle.root),
                object.class == PickleName("trajectory.utils.config", "Config"),
                let place = object.attributes["_dict"], let entries = pickle.dictionary(place)
            else {
                throw PythonFileError(
                    .foreign, file: url.relativePath,
                    "it holds no settings of the authors' (an object of their class Config); "
                        + "remove it, and give what it would say")
            }
            (self.pickle, self.entries) = (pickle, entries)
        }

        func refusal(_ name: String, _ detail: String) -> PythonFileError {
            PythonFileError(.mismatch, file: pickle.file, part: name, detail)
        }

        private func place(_ name: String) -> Pickle.Place? {
            guard let place = entries[name], pickle[place] != .none else { return nil }
            return place
        }

        /// Whether the setting is there, if only to say that there is nothing.
        func has(_ name: String) -> Bool { entries[name] != nil }

        func text(_ name: String) -> String? { place(name).flatMap(pickle.text) }

        func count(_ name: String) throws(PythonFileError) -> Int? {
            guard let place = place(name) else { return nil }
            guard let value = pickle.integer(place), value > 0 else {
                throw refusal(name, "expected a whole number from 1 up")
            }
            return value
        }

        func number(_ name: String) throws(PythonFileError) -> Double? {
            guard let place = place(name) else { return nil }
            guard let value = pickle.number(place), value.isFinite else {
                throw refusal(name, "expected a finite number")
            }
            return value
        }

        func weight(_ name: String) throws(PythonFileError) -> Float? {
            try number(name).map { Float($0) }
        }
    }
}
