import Transformer
import TransformerCPU

/// A profile of training steps as figures for people and programs.
public struct StepReport: Sendable, Codable {
    /// One part of the step, or all of it.
    public struct Part: Sendable, Codable {
        /// What the model is doing.
        public var name: String
        /// Time of one core for one token.
        public var microsecondsPerToken: Double
        /// Share of the whole step.
        public var share: Double
        /// Speed of one core at the part's products; nil where there are none.
        public var gigaflops: Double?
    }

    /// All parts.
    public var parts: [Part]
    /// The whole step.
    public var total: Part

    init(
        _ profile: StepProfile, _ configuration: TransformerConfiguration, steps: Int, windows: Int,
        length: Int
    ) {
        let sequences = Double(steps * windows)
        func part(_ name: String, _ seconds: Double, _ operations: Double) -> Part {
            Part(
                name: name, microsecondsPerToken: 1e6 * seconds / (sequences * Double(length)),
                share: seconds / profile.total,
                gigaflops: operations > 0 ? operations * sequences / seconds * 1e-9 : nil)
        }
        let operations = StepProfile.Part.allCases.map {
            ($0, $0.operations(configuration, length: length))
        }
        parts = operations.map { part($0.rawValue, profile.seconds[$0] ?? 0, $1) }
        total = part("total", profile.total, operations.reduce(0) { $0 + $1.1 })
    }
}
