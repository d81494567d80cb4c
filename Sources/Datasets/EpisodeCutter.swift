import Trajectories

/// Rows that arrive in blocks, cut into episodes.
///
/// What belongs to an episode that is not over yet is carried to the next block.
struct EpisodeCutter {
    /// Some rows as they lie in a file.
    struct Block {
        /// Rows × observation dimensions; empty where only rewards are asked for.
        var observations: [Float]
        /// Rows × action dimensions; empty where only rewards are asked for.
        var actions: [Float]
        var rewards: [Float]
        var terminals: [Bool]
        /// Nil where the file has none.
        var timeouts: [Bool]?
    }

    let layout: TransitionLayout
    /// The number of rows after which an episode is cut in any case.
    let maxLength: Int?
    private var observations: [Float] = []
    private var actions: [Float] = []
    private var rewards: [Float] = []

    init(_ layout: TransitionLayout, maxLength: Int? = nil) {
        self.layout = layout
        self.maxLength = maxLength
    }

    /// Adds a block and hands on the episodes that end in it; the last row of the last block ends
    /// one in any case.
    mutating func add(
        _ block: Block, isLast: Bool, _ body: (EpisodeRows) throws -> Void
    ) throws {
        var start = 0
        let rows = block.rewards.count
        for row in 0..<rows {
            let timeout =
                block.timeouts?[row] ?? false || rewards.count + row - start + 1 == maxLength
            guard block.terminals[row] || timeout || (isLast && row == rows - 1) else { continue }
            carry(block, start..<(row + 1))
            let ending: Trajectory.Ending =
                block.terminals[row] ? .terminal : timeout ? .timeout : .unfinished
            try body(
                EpisodeRows(
                    observations: observations, actions: actions, rewards: rewards, ending: ending))
            observations.removeAll(keepingCapacity: true)
            actions.removeAll(keepingCapacity: true)
            rewards.removeAll(keepingCapacity: true)
            start = row + 1
        }
        carry(block, start..<rows)
    }

    private mutating func carry(_ block: Block, _ rows: Range<Int>) {
        func part(_ values: [Float], _ width: Int) -> ArraySlice<Float> {
            values.isEmpty ? [] : values[(rows.lowerBound * width)..<(rows.upperBound * width)]
        }
        observations += part(block.observations, layout.observationDimension)
        actions += part(block.actions, layout.actionDimension)
        rewards += block.rewards[rows]
    }
}

/// The rows of an episode, or its rewards alone.
struct EpisodeRows {
    let observations: [Float]
    let actions: [Float]
    let rewards: [Float]
    let ending: Trajectory.Ending
}
