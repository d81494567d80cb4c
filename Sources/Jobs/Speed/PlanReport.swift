import TransformerCPU

/// Where the time of plans goes, as figures for people and programs.
public struct PlanReport: Sendable, Codable {
    /// One part of a plan, or all of it.
    public struct Part: Sendable, Codable {
        /// What the decoder or the search is doing.
        public var name: String
        /// Time of one core for one search.
        public var milliseconds: Double
        /// Share of all cores' time.
        public var share: Double
        /// Speed of one core at the part's products; nil where there are none.
        public var gigaflops: Double?
    }

    /// The decoder's parts; `selection`, which is the search's own on one core; and `waiting`, of
    /// cores for each other.
    public var parts: [Part]
    /// The whole plan.
    public var total: Part

    /// Of what the decoder measured and computed in searches that took `elapsed` seconds.
    init(
        _ profile: DecoderProfile, _ works: [PrefixDecoder.Statistics], elapsed: Double,
        workers: Int
    ) {
        let total = elapsed * Double(workers)
        func part(_ name: String, _ seconds: Double, _ operations: Double = 0) -> Part {
            Part(
                name: name, milliseconds: 1e3 * seconds / Double(works.count),
                share: seconds / total,
                gigaflops: operations > 0 ? operations / seconds * 1e-9 : nil)
        }
        let all = works.reduce(0) { $0 + $1.operations }
        let attention = works.reduce(0) { $0 + $1.attentionOperations }
        let heads = works.reduce(0) { $0 + $1.headOperations }
        func operations(_ part: DecoderProfile.Part) -> Double {
            switch part {
            case .products: all - attention - heads
            case .attention: attention
            case .embeddingAndHeads: heads
            default: 0
            }
        }
        let selection = max(0, elapsed - profile.elapsed)
        let known = profile.seconds.values.reduce(selection, +)
        parts =
            DecoderProfile.Part.allCases.map {
                part($0.rawValue, profile.seconds[$0] ?? 0, operations($0))
            } + [part("selection", selection), part("waiting", max(0, total - known))]
        self.total = part("total", total, all)
    }
}
