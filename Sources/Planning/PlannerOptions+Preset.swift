extension PlannerOptions {
    /// A named search.
    public enum Preset: String, Sendable, Hashable, Codable, CaseIterable {
        /// 5 transitions ahead with 16 beams: some milliseconds a decision for a small model.
        case quick
        /// The paper's for Hopper and Walker2d: 15 transitions ahead with 128 beams.
        case paper
    }

    /// The options of a preset.
    public init(_ preset: Preset) {
        self.init()
        if preset == .quick { (horizon, beamWidth) = (5, 16) }
    }
}
