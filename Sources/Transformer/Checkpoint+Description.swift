import Bounds
public import Tokenization
public import Trajectories

extension Checkpoint {
    /// What the JSON file holds.
    public struct Description: Codable, Sendable, Hashable {
        /// Version of this format.
        public var format = Checkpoint.currentFormat
        /// The model's shape.
        public var model: TransformerConfiguration
        /// How trajectories became tokens.
        public var tokenization: TokenizedDataset.Settings
        /// Identifier of the environment the data come from, if known.
        public var environment: String?
        /// How many observation dimensions of the data were kept, from the first on, where this was
        /// asked for.
        public var observationDimensions: Int?
        /// Training steps done.
        public var step: Int
        /// Training tokens seen.
        public var tokens: Int
        /// File of the weights, beside the JSON file.
        public var weights: String
        /// File of the optimizer's state, beside the JSON file, if it was kept.
        public var optimizer: String?
        /// Checksums of these files by their names; nil in older checkpoints.
        public var checksums: [String: String]?
        /// Seconds of training, where known.
        public var seconds: Double?
        /// What fixed initial weights, order of the data and dropout, where known.
        public var seed: UInt64?
        /// The losses since the last report; nil in older checkpoints.
        public var losses: RunningLosses?
        /// The held-out loss, of a checkpoint that is kept for it.
        public var heldOutLoss: Double?

        /// Which column is which in the data: the model's layout with what holds for whole episodes.
        public var dataLayout: TransitionLayout {
            tokenization.dataLayout(ofModel: model.layout)
        }

        init(
            model: TransformerConfiguration, tokenization: TokenizedDataset.Settings, step: Int,
            tokens: Int
        ) {
            self.model = model
            self.tokenization = tokenization
            self.step = step
            self.tokens = tokens
            weights = ""
        }

        /// What of the numbers and names does not fit together, or nil.
        var problem: String? {
            let window = Int.saturating(
                tokenization.windowLength, times: model.layout.transitionDimension)
            if tokenization.binCount != model.binCount {
                return "its tokenization has \(tokenization.binCount) bins, its model "
                    + "\(model.binCount); was it edited by hand?"
            }
            if window - 1 > model.contextLength {
                return "its windows have \(window - 1) tokens, its model sees "
                    + "\(model.contextLength); was it edited by hand?"
            }
            if let observationDimensions, observationDimensions != dataLayout.observationDimension {
                return "it keeps \(observationDimensions) observation dimensions, its model has "
                    + "\(dataLayout.observationDimension); was it edited by hand?"
            }
            // A name, not a path: what a checkpoint is made of lies in its folder.
            for name in [weights, optimizer].compactMap(\.self)
            where name.isEmpty || name.contains("/") || name.hasPrefix(".") {
                return "it names the file '\(name)'; its files lie beside it"
            }
            return Bound.steps.orNone.problem("step", step)
                ?? Bound.progress.problem("tokens", tokens)
        }

        private enum CodingKeys: String, CodingKey {
            case format, model, tokenization, environment, observationDimensions, step, tokens
            case weights, optimizer, checksums, seconds, seed, losses, heldOutLoss
        }

        /// Where seconds and seed once were, as text.
        private enum FormerKeys: String, CodingKey { case notes }

        /// Decodes a description, also one that has seconds and seed among its notes.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            format = try values.decode(Int.self, forKey: .format)
            model = try values.decode(TransformerConfiguration.self, forKey: .model)
            tokenization = try values.decode(
                TokenizedDataset.Settings.self, forKey: .tokenization)
            environment = try values.decodeIfPresent(String.self, forKey: .environment)
            observationDimensions = try values.decodeIfPresent(
                Int.self, forKey: .observationDimensions)
            step = try values.decode(Int.self, forKey: .step)
            tokens = try values.decode(Int.self, forKey: .tokens)
            weights = try values.decode(String.self, forKey: .weights)
            optimizer = try values.decodeIfPresent(String.self, forKey: .optimizer)
            checksums = try values.decodeIfPresent([String: String].self, forKey: .checksums)
            losses = try values.decodeIfPresent(RunningLosses.self, forKey: .losses)
            heldOutLoss = try values.decodeIfPresent(Double.self, forKey: .heldOutLoss)
            let notes =
                try decoder.container(keyedBy: FormerKeys.self)
                .decodeIfPresent([String: String].self, forKey: .notes) ?? [:]
            seconds =
                try values.decodeIfPresent(Double.self, forKey: .seconds)
                ?? notes["seconds"].flatMap(Double.init)
            seed =
                try values.decodeIfPresent(UInt64.self, forKey: .seed)
                ?? notes["seed"].flatMap(UInt64.init)
        }
    }
}

/// The losses of the steps since the last report, so that a resumed run reports the mean of all.
public struct RunningLosses: Codable, Sendable, Hashable {
    /// How many steps.
    public var steps: Int
    /// The sum of their losses.
    public var sum: Double
    /// The loss of the last step.
    public var last: Double
    /// The norm of its gradient before clipping.
    public var gradientNorm: Double

    /// Creates a value; see the properties.
    public init(steps: Int, sum: Double, last: Double, gradientNorm: Double) {
        self.steps = steps
        self.sum = sum
        self.last = last
        self.gradientNorm = gradientNorm
    }
}

/// Why a checkpoint could not be read or written.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        case missing, malformed, unwritable, mismatch
    }
    /// What kind of failure this is.
    public let code: Code
    /// The file or folder concerned.
    public let file: String
    /// What went wrong and what to do.
    public let detail: String

    /// Creates an error.
    public init(code: Code, file: String, detail: String) {
        self.code = code
        self.file = file
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot use checkpoint '\(file)': \(detail)" }
}
