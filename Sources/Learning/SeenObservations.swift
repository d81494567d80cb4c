import Trajectories

/// Observations as a network is given them: means in place of what is hidden.
struct SeenObservations {
    private let hiding: Hiding?
    /// The mean of what is seen of each dimension.
    private var means: [Float]

    /// The observations of trajectories of one layout; `width` numbers each.
    init(_ trajectories: [Trajectory], width: Int, hiding: Hiding?) {
        self.hiding = hiding
        means = Array(repeating: 0, count: width)
        guard let hiding else { return }
        var sums = Array(repeating: 0.0, count: width)
        var counts = Array(repeating: 0.0, count: width)
        var first = 0
        for trajectory in trajectories {
            for row in 0..<trajectory.count {
                for (column, value) in trajectory.observation(row).enumerated()
                where !hiding.hides(row: first + row, column: column) {
                    sums[column] += Double(value)
                    counts[column] += 1
                }
            }
            first += trajectory.count
        }
        means = zip(sums, counts).map { Float($0 / max(1, $1)) }
    }

    /// A row of a trajectory whose rows count from `first` on, and what of it is hidden.
    func row(
        _ row: Int, of trajectory: Trajectory, from first: Int
    ) -> (values: [Float], isHidden: [Bool]) {
        let values = Array(trajectory.observation(row))
        guard let hiding else { return (values, Array(repeating: false, count: values.count)) }
        let isHidden = values.indices.map { hiding.hides(row: first + row, column: $0) }
        return (values.indices.map { isHidden[$0] ? means[$0] : values[$0] }, isHidden)
    }
}
