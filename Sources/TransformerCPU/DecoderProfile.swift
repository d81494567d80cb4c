/// Where the time of searches on a ``PrefixDecoder`` went.
public struct DecoderProfile: Sendable, Hashable {
    /// A kind of work of the decoder.
    public enum Part: String, Sendable, Hashable, CaseIterable, Codable {
        /// Products with the weight matrices of the blocks.
        case products
        /// Scores, softmax and weighted sums over the paths to the nodes.
        case attention
        /// Layer norms, GELU, residual connections.
        case elementwise
        /// Embedding of tokens and the products of the heads.
        case embeddingAndHeads
        /// Keeping nodes, finding the paths to them, storing keys and values.
        case gathering
        /// Filtering and reading the distributions at nodes (`PrefixTreeModel.concurrently`).
        case sampling
    }

    /// Seconds of all workers together in each part; waiting for each other is in none.
    public internal(set) var seconds: [Part: Double] = [:]
    /// Seconds from the beginnings to the ends of the decoder's calls.
    public internal(set) var elapsed = 0.0

    /// No time at all.
    public init() {}

    /// The time of both.
    public static func += (sum: inout DecoderProfile, other: DecoderProfile) {
        sum.seconds.merge(other.seconds, uniquingKeysWith: +)
        sum.elapsed += other.elapsed
    }

    static func += (sum: inout DecoderProfile, clock: LapClock<Part>) {
        sum.seconds.merge(clock.seconds, uniquingKeysWith: +)
    }
}
