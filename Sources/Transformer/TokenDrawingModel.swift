/// A model that also chooses tokens, many in a row, before anybody needs to know them.
///
/// A search that draws a whole transition for each of its rows waits for the device once rather
/// than for every token. What is drawn is what a planner would draw from the same logits and
/// numbers, up to rounding at the edge between two tokens.
public protocol TokenDrawingModel: PrefixTreeModel {
    /// Draws tokens for rows, one after the other, each from the logits behind the one before.
    ///
    /// Every row gets nodes of its own for all tokens but the last; they have output where the draw
    /// asks to keep it.
    func draw(_ draws: TokenDraws) throws(EngineError) -> DrawnTokens
}

/// What to draw for some rows.
public struct TokenDraws: Sendable {
    /// How one token is chosen from its logits: temperature, then the tail, then the k most likely.
    public struct Rule: Sendable, Hashable {
        /// Divides the logits.
        public var temperature: Double
        /// The least likely tokens whose mass together is less are not drawn; nil keeps them.
        public var tailMass: Double?
        /// Whether the likeliest tokens stay in any case, and a tail that holds nobody removes
        /// nobody.
        public var keepsLikeliest: Bool
        /// Tokens less likely than the `topK`-th are not drawn; nil keeps them.
        public var topK: Int?
        /// Whether the logits that the token is drawn from will be read.
        public var keepsOutput = false

        /// A rule; see the properties.
        public init(temperature: Double, tailMass: Double?, keepsLikeliest: Bool, topK: Int?) {
            self.temperature = temperature
            self.tailMass = tailMass
            self.keepsLikeliest = keepsLikeliest
            self.topK = topK
        }
    }

    /// The node that each row stands on, with output.
    public var nodes: [Int]
    /// One rule for each token.
    public var rules: [Rule]
    /// Numbers in 0..<1: for the first token one for each row, then for the second, and so on. A
    /// draw is the first token whose cumulative probability exceeds its number.
    public var uniforms: [Double]
    /// In the same order, a token where it is given and not drawn, else -1; nil where all are
    /// drawn.
    public var forced: [Int32]?

    /// Draws for rows that stand on `nodes`; see the properties.
    public init(nodes: [Int], rules: [Rule], uniforms: [Double], forced: [Int32]? = nil) {
        self.nodes = nodes
        self.rules = rules
        self.uniforms = uniforms
        self.forced = forced
    }
}

/// What was drawn.
public struct DrawnTokens: Sendable {
    /// For the first token one for each row, then for the second, and so on.
    public var tokens: [Int32]
    /// Number of the first row's node for the first token; the other rows' follow, then those for
    /// the second token, and so on up to the last token but one.
    public var firstNode: Int

    /// Creates a result; see the properties.
    public init(tokens: [Int32], firstNode: Int) {
        self.tokens = tokens
        self.firstNode = firstNode
    }
}
