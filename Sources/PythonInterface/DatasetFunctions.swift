import Bounds
import Tokenization
import Trajectories

/// Logged episodes.
final class DatasetBox: Sendable {
    let trajectories: [Trajectory]
    let layout: TransitionLayout

    init(_ trajectories: [Trajectory], layout: TransitionLayout) {
        self.trajectories = trajectories
        self.layout = layout
    }
}

/// What the Python package knows of a dataset.
private struct DatasetAnswer: Encodable {
    let lengths: [Int]
    let returns: [Double]
    let endings: [Trajectory.Ending]
    /// What terminal states are taken for, a line for a person.
    let terminalStates: String?
}

/// Cuts rows of arrays into episodes, as D4RL's files are read: a terminal row, a timeout or the
/// row that makes an episode `maxLength` long ends one; the last row ends one in any case.
///
/// `timeouts` may be null; `maxLength` 0 is none. Numbers are copied.
@c(trajectory_dataset_new)
public func makeDataset(
    _ observations: UnsafePointer<Float>, _ actions: UnsafePointer<Float>,
    _ rewards: UnsafePointer<Float>, _ terminals: UnsafePointer<UInt8>,
    _ timeouts: UnsafePointer<UInt8>?, _ count: Int, _ observationDimension: Int,
    _ actionDimension: Int, _ maxLength: Int, _ dataset: UnsafeMutablePointer<Handle?>,
    _ text: TextPlace
) -> Int32 {
    answer(text) {
        let problem =
            Bound.dimension.problem("the width of observations", observationDimension)
            ?? Bound.dimension.problem("the width of actions", actionDimension)
            ?? Bound.steps.problem("the number of rows", count)
            ?? Bound.steps.orNone.problem("max_episode_length", maxLength)
        if let problem { throw Failure(.data, problem) }
        let layout = TransitionLayout(
            observationDimension: observationDimension, actionDimension: actionDimension)
        var trajectories: [Trajectory] = []
        var start = 0
        for row in 0..<count {
            let isTerminal = terminals[row] != 0
            let isTimeout =
                timeouts.map { $0[row] != 0 } ?? false || row - start + 1 == maxLength
            guard isTerminal || isTimeout || row == count - 1 else { continue }
            func part(_ numbers: UnsafePointer<Float>, _ width: Int) -> [Float] {
                Array(
                    UnsafeBufferPointer(
                        start: numbers + start * width, count: (row + 1 - start) * width))
            }
            trajectories.append(
                Trajectory(
                    layout: layout, observations: part(observations, observationDimension),
                    actions: part(actions, actionDimension), rewards: part(rewards, 1),
                    ending: isTerminal ? .terminal : isTimeout ? .timeout : .unfinished))
            start = row + 1
        }
        dataset.pointee = handle(DatasetBox(trajectories, layout: layout))
        return DatasetAnswer(
            lengths: trajectories.map(\.count), returns: trajectories.map(\.totalReward),
            endings: trajectories.map(\.ending),
            terminalStates: TerminalStates(of: trajectories).explanation)
    }
}
