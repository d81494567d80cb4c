package import RandomNumbers
import Tensors
import Trajectories

/// Draws rows of a dataset uniformly, with replacement; the sequence depends on the seed alone.
package struct MinibatchSampler: Sendable {
    private let rowCount: Int
    private let size: Int
    private var generator: SplitMix64

    /// Draws `size` of `rowCount` rows at a time.
    package init(rowCount: Int, size: Int, generator: SplitMix64) {
        precondition(rowCount > 0 && size > 0, "\(size) rows of \(rowCount)")
        self.rowCount = rowCount
        self.size = size
        self.generator = generator
    }

    /// The next rows.
    package mutating func next() -> [Int] {
        (0..<size).map { _ in Int(generator.next() % UInt64(rowCount)) }
    }
}

/// Some rows of a dataset as matrices, observations normalized.
struct Minibatch {
    /// Observations, rows × O.
    let observations: Matrix
    /// Observations and actions side by side, rows × (O + A): what a Q-function takes.
    let inputs: Matrix
    /// Observations after the actions, rows × O.
    let nextObservations: Matrix
    private let owned: [FloatStorage]

    /// Room for `rows` rows.
    init(rows: Int, observationDimension: Int, actionDimension: Int) {
        let widths = [
            observationDimension, observationDimension + actionDimension, observationDimension,
        ]
        owned = widths.map { FloatStorage(count: rows * $0) }
        observations = owned[0].matrix(columns: widths[0])
        inputs = owned[1].matrix(columns: widths[1])
        nextObservations = owned[2].matrix(columns: widths[2])
    }

    /// Copies `rows` of `transitions`.
    func fill(_ rows: [Int], of transitions: Transitions, _ normalization: Normalization) {
        let (width, actionWidth) = (
            transitions.layout.observationDimension, transitions.layout.actionDimension
        )
        for (place, row) in rows.enumerated() {
            for column in 0..<width {
                let now = normalization.apply(
                    transitions.observations[row * width + column], column: column)
                observations[place, column] = now
                inputs[place, column] = now
                nextObservations[place, column] = normalization.apply(
                    transitions.nextObservations[row * width + column], column: column)
            }
            for column in 0..<actionWidth {
                inputs[place, width + column] = transitions.actions[row * actionWidth + column]
            }
        }
    }
}
