package import Trajectories

extension Discretizer {
    /// Refuses data of another number of dimensions.
    func requireDimension(of layout: TransitionLayout) throws(DiscretizerError) {
        guard layout.transitionDimension == dimension else {
            throw DiscretizerError(
                code: .malformed, dimension: nil,
                detail:
                    "a transition of the data has \(layout.transitionDimension) numbers, the bins "
                    + "that were fitted before are for \(dimension); use data of the same "
                    + "environment")
        }
    }

    /// From which share of numbers outside the bins on one should think twice.
    private static let muchOutside = 0.02

    /// The share of the observations' and actions' numbers that lie outside the bins, and so fall
    /// into the first or last: 0 for the data that the bins were fitted to.
    package func shareOutside(_ trajectories: [Trajectory]) -> Double {
        var outside = 0
        var count = 0
        for trajectory in trajectories where trajectory.count > 0 {
            let layout = trajectory.layout
            let parts = [
                (trajectory.observations, 0, layout.observationDimension),
                (trajectory.actions, layout.observationDimension, layout.actionDimension),
            ]
            for (numbers, first, width) in parts {
                count += numbers.count
                for column in 0..<width {
                    let lowest = edges[first + column]
                    let highest = edges[binCount * dimension + first + column]
                    for place in stride(from: column, to: numbers.count, by: width)
                    where !(lowest...highest).contains(Double(numbers[place])) { outside += 1 }
                }
            }
        }
        return count > 0 ? Double(outside) / Double(count) : 0
    }

    /// What a person should know of data that are tokenized with these bins, which were fitted to
    /// others; nil where hardly a number lies outside them.
    ///
    /// `columns` of the observations hold for whole episodes and are no part of the transitions.
    package func remark(on trajectories: [Trajectory], besides columns: [Int] = []) -> String? {
        let share = shareOutside(
            columns.isEmpty
                ? trajectories : trajectories.map { $0.withoutObservationColumns(columns) })
        guard share > Self.muchOutside else { return nil }
        return
            "warning: \(Int((100 * share).rounded())) % of the observations' and actions' numbers lie "
            + "outside the bins of the checkpoint that training begins with, and fall into the "
            + "first or last of them"
    }
}
