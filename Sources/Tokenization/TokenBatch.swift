/// A batch of token windows for training: inputs, the tokens that follow them, and which of those
/// count.
///
/// All three are `rows` × `length`, row-major; goals, where there are any, `rows` ×
/// `goalDimension`. A batch is filled again and again in place, so that a training step allocates
/// nothing.
///
/// Where several processes train together, a batch is a share of the global one: rows `firstRow` up
/// to `firstRow + rows` of `totalRows`. The loss divides by the global batch's rows and dropout
/// counts them, so that the gradients of all shares add up to that of the whole.
public struct TokenBatch: Sendable, Equatable {
    /// Number of windows here.
    public let rows: Int
    /// Tokens in a window: a whole number of transitions less the last token.
    public let length: Int
    /// Tokens of a goal; 0 for a model without goal.
    public let goalDimension: Int
    /// The number of the first window here among those of the global batch.
    public let firstRow: Int
    /// Windows of the global batch.
    public let totalRows: Int
    /// The tokens the model reads.
    public var inputs: [Int32]
    /// The token after each input.
    public var targets: [Int32]
    /// 1 where the target counts in the loss, else 0.
    public var mask: [UInt8]
    /// The tokens of each window's goal.
    public var goals: [Int32]

    /// Creates a batch of zero tokens that all count.
    ///
    /// Without `totalRows` it is the whole batch, else the rows from `firstRow` on of one.
    public init(
        rows: Int, length: Int, goalDimension: Int = 0, firstRow: Int = 0, totalRows: Int? = nil
    ) {
        let total = totalRows ?? rows
        precondition(
            rows >= 0 && firstRow >= 0 && firstRow + rows <= total,
            "rows \(firstRow)..<\(firstRow + rows) of \(total)")
        self.rows = rows
        self.length = length
        self.goalDimension = goalDimension
        self.firstRow = firstRow
        self.totalRows = total
        inputs = Array(repeating: 0, count: rows * length)
        targets = Array(repeating: 0, count: rows * length)
        mask = Array(repeating: 1, count: rows * length)
        goals = Array(repeating: 0, count: rows * goalDimension)
    }
}
