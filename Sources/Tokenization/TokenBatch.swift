/// A batch of token windows for training: inputs, the tokens that follow them, and which of those
/// count.
///
/// All three are `rows` × `length`, row-major; goals, where there are any, `rows` × `goalDimension`. A
/// batch is filled again and again in place, so that a
/// training step allocates nothing.
public struct TokenBatch: Sendable, Equatable {
    /// Number of windows.
    public let rows: Int
    /// Tokens in a window: a whole number of transitions less the last token.
    public let length: Int
    /// Tokens of a goal; 0 for a model without goal.
    public let goalDimension: Int
    /// The tokens the model reads.
    public var inputs: [Int32]
    /// The token after each input.
    public var targets: [Int32]
    /// 1 where the target counts in the loss, else 0.
    public var mask: [UInt8]
    /// The tokens of each window's goal.
    public var goals: [Int32]

    /// Creates a batch of zero tokens that all count.
    public init(rows: Int, length: Int, goalDimension: Int = 0) {
        self.rows = rows
        self.length = length
        self.goalDimension = goalDimension
        inputs = Array(repeating: 0, count: rows * length)
        targets = Array(repeating: 0, count: rows * length)
        mask = Array(repeating: 1, count: rows * length)
        goals = Array(repeating: 0, count: rows * goalDimension)
    }
}
