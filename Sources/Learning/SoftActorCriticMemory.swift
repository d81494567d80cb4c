import Tensors

/// The replay memory: a ring of transitions, of which the newest stay.
///
/// A transition lies in one piece: observation, action, reward, terminal, observation after it.
/// Memory is taken as it is filled, `rowsPerBlock` rows at a time.
struct SoftActorCriticMemory {
    private static let rowsPerBlock = 16_384

    let observationDimension, actionDimension, capacity: Int
    /// Rows that are there.
    private(set) var count = 0
    /// The run's number of the row that comes next: it goes to that number mod capacity.
    private var nextRow: Int
    private var blocks: [FloatStorage] = []

    /// An empty ring; the first row that comes is number `firstRow` of a run.
    ///
    /// Where that is not the start of the ring, the whole ring is filled before anything is drawn.
    init(observationDimension: Int, actionDimension: Int, capacity: Int, firstRow: Int) {
        self.observationDimension = observationDimension
        self.actionDimension = actionDimension
        self.capacity = capacity
        nextRow = firstRow
    }

    private var width: Int { 2 * observationDimension + actionDimension + 2 }

    /// Puts rows in; the oldest give way.
    mutating func append(_ rows: SoftActorCriticRows) {
        let (observed, acted) = (observationDimension, actionDimension)
        precondition(
            rows.observations.count == rows.count * observed
                && rows.nextObservations.count == rows.count * observed
                && rows.actions.count == rows.count * acted && rows.terminals.count == rows.count,
            "\(rows.count) transitions of other sizes than \(observed) and \(acted)")
        for row in 0..<rows.count {
            let place = nextRow % capacity
            while blocks.count * Self.rowsPerBlock <= place {
                let first = blocks.count * Self.rowsPerBlock
                blocks.append(
                    FloatStorage(count: min(Self.rowsPerBlock, capacity - first) * width))
            }
            let now = row * observed..<(row + 1) * observed
            let action = rows.actions[row * acted..<(row + 1) * acted]
            blocks[place / Self.rowsPerBlock].write(
                rows.observations[now] + action + [rows.rewards[row], rows.terminals[row]]
                    + rows.nextObservations[now],
                at: place % Self.rowsPerBlock * width)
            nextRow += 1
            count = min(count + 1, capacity)
        }
    }

    /// Copies the transition at `place` to where an update wants it; returns its outcome.
    ///
    /// - Parameters:
    ///   - place: Where in the ring, from 0 to below ``count``.
    ///   - observation: Takes the observation, as its first columns.
    ///   - input: Takes action and observation, as its first columns.
    ///   - next: Takes the observation after the action.
    ///   - nextInput: Takes it too, behind room for an action.
    /// - Returns: The reward, and 1 where the state after it is terminal, else 0.
    func copy(
        _ place: Int, observation: (matrix: Matrix, row: Int), input: (matrix: Matrix, row: Int),
        next: (matrix: Matrix, row: Int), nextInput: (matrix: Matrix, row: Int)
    ) -> (reward: Float, terminal: Float) {
        let block = blocks[place / Self.rowsPerBlock]
        let (observed, acted) = (observationDimension, actionDimension)
        var at = place % Self.rowsPerBlock * width
        func copy(_ count: Int, to target: (matrix: Matrix, row: Int), _ column: Int) {
            block.copy(
                from: at, count: count, to: target.matrix, row: target.row, column: column)
        }
        copy(observed, to: observation, 0)
        copy(observed, to: input, acted)
        at += observed
        copy(acted, to: input, 0)
        at += acted + 2
        copy(observed, to: next, 0)
        copy(observed, to: nextInput, acted)
        return (block[at - 2], block[at - 1])
    }
}
