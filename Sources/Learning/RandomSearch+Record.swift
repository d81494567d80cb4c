extension RandomSearch {
    /// How a policy was trained: all that is needed to train it again.
    ///
    /// Kept in the metadata of its file.
    public struct Record: Sendable, Hashable {
        /// Settings of the search.
        public var settings: Settings
        /// Iterations after which the policy was taken.
        public var iterations: Int
        /// Environment steps that training had taken by then.
        public var steps: Int

        /// A record of a search as it stands.
        public init(_ settings: Settings, iterations: Int, steps: Int) {
            self.settings = settings
            self.iterations = iterations
            self.steps = steps
        }

        /// Reads a record from a policy's metadata; nil where it is incomplete.
        public init?(_ metadata: [String: String]) {
            func number<Number: LosslessStringConvertible>(_ key: String) -> Number? {
                metadata[key].flatMap(Number.init)
            }
            guard let directions: Int = number("directions"),
                let topDirections: Int = number("top_directions"),
                let stepSize: Double = number("step_size"), let noise: Double = number("noise"),
                let seed: UInt64 = number("seed"), let iterations: Int = number("iteration"),
                let steps: Int = number("steps")
            else { return nil }
            settings = Settings()
            settings.directions = directions
            settings.topDirections = topDirections
            settings.stepSize = stepSize
            settings.noise = noise
            settings.seed = seed
            self.iterations = iterations
            self.steps = steps
        }

        /// The record as metadata.
        public var metadata: [String: String] {
            [
                "method": "augmented random search V2-t", "directions": "\(settings.directions)",
                "top_directions": "\(settings.topDirections)",
                "step_size": "\(settings.stepSize)", "noise": "\(settings.noise)",
                "seed": "\(settings.seed)", "iteration": "\(iterations)", "steps": "\(steps)",
            ]
        }
    }

    /// How the policy came about so far.
    public var record: Record { Record(settings, iterations: iteration, steps: steps) }
}
